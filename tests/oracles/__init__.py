"""NumPy reference implementations of DARTS in float64, which import nothing of the library.

Images are [batch, height, width, channels]; kernels are [height, width, in, out], those of
depthwise convolutions [size, size, channels, 1].
"""
