"""Pages in a real browser: what a reader sees, at the width of a phone and of a desktop."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from darts_tf import spaces
from darts_tf.report import write_comparison, write_report
from darts_tf.report.glossary import TERMS
from darts_tf.spaces.genotype import read_genotype
from tests.browser import chromium, look, settled
from tests.histories import (
    random_searched,
    repeated,
    searched,
    searched_in,
    studied,
    trained,
    tuned,
)
from tests.other_space import ladder

WIDTHS = (390, 1280)
RUNS = {
    "other space": lambda path: searched_in(ladder(), path, 15),
    "tuning": lambda path: tuned(path, 9),
    "tuning begun": lambda path: tuned(path, 10, 0, finished=False),
    "random": lambda path: random_searched(path, 11),
    "graphs": lambda path: random_searched(path, 16, 1, space=spaces.get("rand_wire_small")),
    "study": lambda path: studied(path, 13),
    "study half": lambda path: studied(path, 14, finished=False),
    "random half": lambda path: random_searched(path, 12, 2, finished=False),
    "repeats": lambda path: repeated(path, 13),
    "repeats half": lambda path: repeated(path, 14, 1, 2),
}
PAGES = ("search", "staged", "training", "comparison", "empty", *RUNS)
EPOCHS = 12
# What hangs out of the page; a table that scrolls by itself may be wider than its place.
_OVERFLOWING = """
const wide = document.documentElement.clientWidth + 0.5;
return [...document.querySelectorAll("body *")].filter(element => {
  const box = element.getBoundingClientRect();
  const scrolls = element.closest(".wide") && !element.matches(".wide");
  return box.width && !scrolls && (box.right > wide || box.left < -0.5);
}).map(element => element.outerHTML.slice(0, 200));
"""
_CUT_OFF = """
return [...document.querySelectorAll(".wire")].filter(wire =>
  wire.querySelector("text").getBBox().width > wire.querySelector("rect").getBBox().width - 4
).map(wire => wire.textContent);
"""
_COLOURS = """
const seen = new Map();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const solid = colour => !/, 0\\)$|transparent/.test(colour);
while (walker.nextNode()) {
  let element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || element.closest("script, style, noscript, td")) continue;
  const style = getComputedStyle(element);
  const ink = element instanceof SVGElement ? style.fill : style.color;
  let below = element;
  while (below && !solid(getComputedStyle(below).backgroundColor)) below = below.parentElement;
  seen.set(ink + getComputedStyle(below).backgroundColor,
           [ink, getComputedStyle(below).backgroundColor, walker.currentNode.data.trim()]);
}
return [...seen.values()];
"""


class Made(NamedTuple):
    folder: Path
    pages: dict[str, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    search = searched(folder / "search", 5, EPOCHS)
    staged = searched(folder / "staged", 6, 3, finished=False, share_alphas="stage")
    training = trained(folder / "training", 7)
    several = [search.path, staged.path, training.path]
    pages = {
        "search": write_report(search.path),
        "staged": write_report(staged.path),
        "training": write_report(training.path),
        "comparison": write_comparison(several, folder / "comparison.html"),
        "empty": write_report(searched(folder / "empty", 8, 0).path),
        **{name: write_report(make(folder / name).path) for name, make in RUNS.items()},
    }
    return Made(folder, pages)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def records(made):
    text = (made.folder / "search/history.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def drawn(browser, cell):
    """The edges that the drawing of a cell shows, in the order of a genotype's but for pairs."""
    picture = browser.find_element(By.CSS_SELECTOR, f"[data-cell={cell}] svg")
    nodes = {"c(k\N{MINUS SIGN}2)": 0, "c(k\N{MINUS SIGN}1)": 1}
    parts = re.findall(r"(\w+) of (c\(k.\d\)|\d+)", picture.accessible_name)
    told = [[name, nodes[node] if node in nodes else int(node) + 2] for name, node in parts]
    labels = [text.text for text in picture.find_elements(By.CSS_SELECTOR, ".wire text")]
    assert sorted(labels) == sorted(name for name, _ in told)
    return told


def shown(browser):
    return int(browser.find_element(By.ID, "epoch").get_property("value"))


def luminance(colour):
    """The relative luminance of a colour (WCAG 2.2)."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_asks_for_nothing_and_says_nothing_to_the_console(name, width, browser, made):
    page = made.pages[name]
    look(browser, page, width)
    for more in browser.find_elements(By.TAG_NAME, "summary"):
        more.click()
    settled(browser)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script(_OVERFLOWING) == []
    assert browser.execute_script(_CUT_OFF) == []
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_slider_moves_the_cells_and_the_tables(width, browser, made):
    look(browser, made.pages["search"], width)
    lines = records(made)
    slider = browser.find_element(By.ID, "epoch")
    assert shown(browser) == EPOCHS - 1
    for epoch in (EPOCHS - 1, EPOCHS - 2, 0, 1):
        keys = {EPOCHS - 2: Keys.ARROW_LEFT, 0: Keys.HOME, 1: Keys.ARROW_RIGHT}
        if epoch in keys:
            slider.send_keys(keys[epoch])
        assert shown(browser) == epoch
        for cell in ("normal", "reduce"):
            links = lines[epoch]["genotype"][cell]
            found = drawn(browser, cell)
            assert found == links
        table = browser.find_element(By.CSS_SELECTOR, ".heat tbody").text
        values = [
            float(text.replace("\N{MINUS SIGN}", "-"))
            for text in table.split()
            if re.fullmatch(r"\N{MINUS SIGN}?\d+\.\d\d", text)
        ]
        wanted = [value for row in lines[epoch]["alphas"]["normal"] for value in row]
        assert values == pytest.approx(wanted, abs=0.0051)
    kept = browser.find_elements(By.CSS_SELECTOR, ".heat .kept")
    assert len(kept) == 16


def test_buttons_and_charts_choose_the_epoch_too(browser, made):
    look(browser, made.pages["search"], 1280)
    before, after = browser.find_elements(By.CSS_SELECTOR, ".epoch-bar button")
    before.click()
    before.click()
    after.click()
    assert shown(browser) == EPOCHS - 2
    chart = browser.find_element(By.CSS_SELECTOR, "[data-draw=learning] svg[role=img]")
    left = -chart.rect["width"] // 2 + 40
    ActionChains(browser).move_to_element_with_offset(chart, int(left), 0).click().perform()
    assert shown(browser) == 0


def test_the_end_is_marked_with_its_reason(browser, made):
    look(browser, made.pages["search"], 390)
    outcome = json.loads((made.folder / "search/genotype.json").read_text())
    words = browser.find_element(By.CSS_SELECTOR, "[data-draw=stopping] .why").text
    assert words == f"Ended after epoch {outcome['epoch']}: {outcome['reason']}."
    assert len(browser.find_elements(By.CSS_SELECTOR, "[data-draw=stopping] line.stop")) == 1


@pytest.mark.parametrize("clipboard", [True, False], ids=["clipboard", "no clipboard"])
def test_the_button_copies_the_genotype(clipboard, browser, made):
    look(browser, made.pages["search"], 390)
    if not clipboard:
        browser.execute_script("Object.defineProperty(navigator, 'clipboard', { value: null });")
    browser.execute_script("document.body.append(document.createElement('textarea'));")
    field = browser.find_element(By.TAG_NAME, "textarea")
    field.send_keys("what was copied before", Keys.CONTROL, "a")
    field.send_keys(Keys.CONTROL, "x")
    assert field.get_property("value") == ""
    button = browser.find_element(By.CSS_SELECTOR, "[data-copies]")
    browser.execute_script("arguments[0].scrollIntoView({ block: 'center' });", button)
    button.click()
    status = browser.find_element(By.CSS_SELECTOR, ".copied [role=status]")
    WebDriverWait(browser, 10).until(lambda _: status.text)  # a clipboard takes its time
    assert status.text == "Copied."
    field.send_keys(Keys.CONTROL, "v")
    outcome = json.loads((made.folder / "search/genotype.json").read_text())
    assert read_genotype(field.get_property("value")) == read_genotype(outcome)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["search", "training"])
def test_every_text_stands_out_from_what_is_behind_it(name, dark, browser, made):
    look(browser, made.pages[name], 1280, dark)
    colours = browser.execute_script(_COLOURS)
    assert len(colours) >= 4
    for ink, paper, text in colours:
        bright, dim = sorted(map(luminance, (ink, paper)), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, (text, ink, paper)
    page = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (luminance(page) < 0.05) == dark


@pytest.mark.parametrize("name", PAGES)
def test_whatever_can_be_reached_or_seen_has_a_name(name, browser, made):
    look(browser, made.pages[name], 1280)
    browser.execute_cdp_cmd("Accessibility.enable", {})
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {"button", "slider", "image", "img", "table", "DisclosureTriangle"}
    found = [node for node in nodes if node.get("role", {}).get("value") in named]
    names = [node["name"]["value"] for node in found]
    assert [name for name in names if not re.search(r"[A-Za-z]{3}", name)] == []
    if name not in ("empty", "tuning begun"):
        assert len(found) > 3


@pytest.mark.parametrize(("name", "count"), [("tuning", 5), ("random", 5), ("repeats", 6)])
def test_each_score_is_a_point_with_its_value(name, count, browser, made):
    look(browser, made.pages[name], 390)
    points = browser.find_elements(By.CSS_SELECTOR, "[data-draw=scores] .plot circle")
    titles = [point.find_element(By.TAG_NAME, "title") for point in points]
    told = [title.get_property("textContent") for title in titles]
    assert len(told) == count
    assert all(re.fullmatch(r"(trial|seed) \d+: [\d.]+", text) for text in told)
    best = browser.find_elements(By.CSS_SELECTOR, "tr.best")
    assert len(best) == (name != "repeats")


def test_a_page_under_way_keeps_the_epoch_when_it_loads_itself_again(browser, made):
    look(browser, made.pages["staged"], 390)
    assert "loads itself again" in browser.find_element(By.CSS_SELECTOR, ".again").text
    assert shown(browser) == 2
    browser.find_element(By.ID, "epoch").send_keys(Keys.HOME)
    browser.execute_script("location.reload();")
    settled(browser)
    assert shown(browser) == 0
    look(browser, made.pages["search"], 390)
    assert not browser.find_element(By.CSS_SELECTOR, ".again").is_displayed()


def test_paper_shows_the_last_epoch_all_edges_and_no_slider(browser, made):
    look(browser, made.pages["search"], 1280, dark=True, address="#epoch=3")
    assert shown(browser) == 3
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.execute_script("dispatchEvent(new Event('beforeprint'));")
    settled(browser)
    assert shown(browser) == EPOCHS - 1
    assert not browser.find_element(By.ID, "epoch").is_displayed()
    assert len(browser.find_elements(By.CSS_SELECTOR, ".small-charts figure")) == 28
    card = browser.execute_script(
        "return getComputedStyle(document.documentElement).getPropertyValue('--card');"
    )
    assert card.strip() == "#ffffff"
    browser.execute_script("dispatchEvent(new Event('afterprint'));")
    assert shown(browser) == 3
    assert browser.get_log("browser") == []


def test_a_graph_has_a_line_for_each_edge_and_each_node_of_its_output(browser, made):
    look(browser, made.pages["graphs"], 1280)
    [outcome] = (made.folder / "graphs").glob("**/genotype.json")
    genotype = read_genotype(json.loads(outcome.read_text()))
    for cell in genotype.cells:
        picture = browser.find_element(By.CSS_SELECTOR, f"[data-cell={cell}] svg")
        lines = picture.find_elements(By.CSS_SELECTOR, ".link")
        assert len(lines) == len(genotype.edges(cell)) + len(genotype.output(cell))
        assert not picture.find_elements(By.CSS_SELECTOR, ".pill")
        nodes = [text.text for text in picture.find_elements(By.CSS_SELECTOR, ".node text")]
        assert nodes == ["c(k\N{MINUS SIGN}1)", *map(str, range(32)), "c(k)"]


# Pairs of texts of one drawing or chart that lie on one another.
_OVERLAPPING = """
const found = [];
for (const picture of document.querySelectorAll("main svg[role=img]")) {
  const texts = [...picture.querySelectorAll("text")]
    .map(text => [text, text.getBoundingClientRect()]);
  texts.forEach(([one, a], n) => texts.slice(n + 1).forEach(([other, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > 3) found.push(`${one.textContent} and ${other.textContent}`);
  }));
}
return found;
"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [name for name in PAGES if name != "empty"])
def test_no_text_of_a_chart_or_a_drawing_lies_on_another(name, width, browser, made):
    look(browser, made.pages[name], width)
    assert browser.execute_script(_OVERLAPPING) == []


def test_a_value_stands_right_behind_its_name(browser, made):
    look(browser, made.pages["search"], 1280)
    gaps = browser.execute_script(
        "return [...document.querySelectorAll('.chart .legend li')].map(item => "
        "item.querySelector('output').getBoundingClientRect().left - "
        "item.querySelector('span').getBoundingClientRect().right);"
    )
    assert gaps
    assert all(0 <= gap < 12 for gap in gaps)


def test_the_operation_of_the_genotype_has_the_thick_curve(browser, made):
    look(browser, made.pages["search"], 1280)
    slider = browser.find_element(By.ID, "epoch")
    for epoch, key in ((EPOCHS - 1, Keys.END), (0, Keys.HOME)):
        slider.send_keys(key)
        edges = records(made)[epoch]["genotype"]["normal"]
        kept = [name for number, (name, source) in enumerate(edges[:2]) if source == 0]
        [first, *_] = browser.find_elements(By.CSS_SELECTOR, "[data-draw=weights] .chart")
        thick = [name.text for name in first.find_elements(By.CSS_SELECTOR, ".chosen span")]
        assert thick == kept
        assert len(first.find_elements(By.CSS_SELECTOR, "g.chosen")) == len(kept)
        assert len(first.find_elements(By.CSS_SELECTOR, "g.pale")) == 8 - len(kept)


def explained(browser):
    tip = browser.find_element(By.CSS_SELECTOR, ".tip")
    return tip.text if tip.is_displayed() else None


@pytest.mark.parametrize("width", WIDTHS)
def test_a_term_is_explained_to_a_pointer_a_keyboard_and_a_finger(width, browser, made):
    look(browser, made.pages["search"], width)
    terms = browser.find_elements(By.CSS_SELECTOR, ".term")
    assert {"genotype", "Normal cell", "sep_conv_3x3"} <= {term.text for term in terms}
    for term in terms[:4]:
        text = TERMS.get(term.text.lower()) or TERMS[term.text.lower().removesuffix("s")]
        described = browser.find_element(By.ID, term.get_attribute("aria-describedby"))
        assert described.get_property("textContent") == text
        ActionChains(browser).move_to_element(term).perform()
        assert explained(browser) == text
        tip = browser.find_element(By.CSS_SELECTOR, ".tip").rect
        assert tip["x"] >= 0
        assert tip["x"] + tip["width"] <= width
        ActionChains(browser).move_to_element(browser.find_element(By.TAG_NAME, "h1")).perform()
        assert explained(browser) is None
    browser.execute_script("arguments[0].focus();", terms[0])
    assert explained(browser)
    ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    assert explained(browser) is None
    ActionChains(browser).send_keys(Keys.TAB).perform()
    assert explained(browser)
    ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    terms[0].click()
    assert explained(browser)
    browser.find_element(By.TAG_NAME, "h1").click()
    assert explained(browser) is None


def test_curves_that_run_on_one_another_are_striped_in_all_their_colors(browser, made, tmp_path):
    run = searched(tmp_path / "equal", 3, 4)
    lines = [json.loads(line) for line in run.history.read_text().splitlines()]
    for line in lines:
        line["skip_connects"] = {"normal": 2, "reduce": 2}
    run.history.write_text("".join(json.dumps(line) + "\n" for line in lines))
    look(browser, write_report(run.path), 1280)
    chart = browser.find_element(By.CSS_SELECTOR, "[data-draw=stopping] .chart")
    striped = chart.find_elements(By.CSS_SELECTOR, ".striped")
    assert len(striped) == 2
    assert len({line.value_of_css_property("stroke") for line in striped}) == 2
    offsets = {line.get_attribute("stroke-dashoffset") for line in striped}
    assert offsets == {"0", "-7"}
    dots = chart.find_elements(By.CSS_SELECTOR, ".dot")
    assert len({dot.get_attribute("r") for dot in dots}) == 2
