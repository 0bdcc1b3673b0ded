"""Plain NumPy statements of DARTS in float64, which judge the library and import none of it.

Images are [batch, rows, columns, channels]; kernels are [rows, columns, in, out], those of
depthwise convolutions [size, size, channels, 1].
"""
