"""The file's text: whatever its data hold, they stay data."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from darts_tf.report.page import Page
from darts_tf.spaces.operations import COLORS

TEXTS = st.text() | st.sampled_from(
    ["</script>", "<!--<script>", "\N{LINE SEPARATOR}", "]]>", "&lt;"]
)


def page(text):
    return Page(text, "search", text, [(text, text)], [("A", "<p>whole</p>")], {"of": [text]})


@given(TEXTS)
def test_data_come_back_as_they_went_in_and_no_tag_is_born(text):
    html = page(text).html()
    [inside] = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL
    )
    assert json.loads(inside) == {"of": [text], "finished": True}
    plain = page("a").html()
    for tag in ("<script", "</script", "<!--", "<p>", "</h1"):
        assert html.count(tag) == plain.count(tag)


def test_the_file_names_no_address_but_those_of_standards():
    addresses = re.findall(r"[a-z]+://[^\s\"')]+", page("a").html())
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in page("a").html()


def test_each_family_of_operations_has_its_color_on_light_and_dark_pages():
    html = page("a").html()
    [listed] = re.findall(r"const FAMILIES = (\[.*?\]);", html)
    assert set(json.loads(listed)) == set(COLORS)
    for family in COLORS:
        assert f".op-{family} {{ --hue: var(--{family}); }}" in html
        light, dark = re.findall(rf"--{family}: (#[0-9a-f]{{6}});", html)
        assert light != dark
