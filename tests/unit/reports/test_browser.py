"""A report in headless Chromium: it opens from a file, logs no error, loads nothing, draws and follows its controls."""

import pytest
from browser import chromium
from small import small_study

import clustersim as cs
from clustersim.studies.sweeps import grid


@pytest.fixture
def report(tmp_path, monkeypatch):
    monkeypatch.setattr("clustersim.reports.page.timelines", lambda facts: "")

    def build(p, workers):
        return {"cluster": cs.Cluster(workers, cs.Exponential(1.0 + p))}

    policies = {"k = 1": cs.FastestK(1), "<script>alert(1)</script>": cs.FastestK(4)}
    study = small_study(policies=policies, variants=grid(build, p=[0.0, 0.5], workers=[6, 8]))
    study.run(tmp_path / "runs")
    return cs.report(tmp_path / "runs", tmp_path / "report.html", study=study)


# What is drawn, by the id of the chart: the number of curves that can be seen, and of cells with digits.
DRAWN = """() => Object.fromEntries([...document.querySelectorAll(".plot")].map((plot) => [plot.id, [
    plot.querySelectorAll(".main-svg").length,
    [...plot.querySelectorAll(".scatterlayer .js-line")].filter((l) => (l.getAttribute("d") || "").length > 20).length,
    plot.querySelectorAll(".heatmap-label").length,
]]))"""
SHOWN = """(id) => document.getElementById(id).data.map((trace) => trace.visible)"""
SCALE = """(id) => document.getElementById(id).layout.yaxis.type"""


def test_a_report_works_in_a_browser(report):
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 800})
        logged, requested = [], []
        page.on("console", lambda message: logged.append(message.text))
        page.on("pageerror", lambda error: logged.append(str(error)))
        page.on("dialog", lambda dialog: (logged.append("a script of a label has run"), dialog.dismiss()))
        page.on("request", lambda request: requested.append(request.url))
        page.goto(report.as_uri())
        page.wait_for_selector("#map .heatmap-label")

        drawn = page.evaluate(DRAWN)
        assert drawn.keys() == {"curves-time", "curves-communication", "map"}
        assert all(svgs >= 2 for svgs, _, _ in drawn.values())
        assert drawn["curves-time"][1] == drawn["curves-communication"][1] == 2 * 3, (
            "a line and two ends of a band each"
        )
        assert drawn["map"][2] == 4
        assert page.evaluate("document.documentElement.scrollWidth") == 390, (
            "a phone shows it without scrolling sideways"
        )
        label = page.locator("#curves-time .legendtext").nth(1)
        assert label.text_content() == "<script>alert(1)</script>"

        assert page.evaluate(SCALE, "curves-time") == "log"
        page.get_by_role("button", name="linear").first.click()
        assert page.evaluate(SCALE, "curves-time") == page.evaluate(SCALE, "curves-communication") == "linear"
        assert page.get_by_role("button", name="linear").first.get_attribute("aria-pressed") == "true"

        page.locator("#curves-time .legendtoggle").first.click()
        for chart in ("curves-time", "curves-communication"):
            assert page.evaluate(SHOWN, chart) == ["legendonly"] * 3 + [True] * 3, "the policy is hidden in both charts"

        before = page.evaluate("document.querySelectorAll('#curves-time .js-line')[2].getAttribute('d')")
        page.locator("#curves-variant").select_option(index=3)
        assert page.evaluate("document.querySelectorAll('#curves-time .js-line')[2].getAttribute('d')") != before
        assert page.evaluate(SHOWN, "curves-time")[0] == "legendonly", "it stays hidden"
        buttons = page.eval_on_selector_all(
            ".modebar-btn", "all => all.map((one) => one.dataset.title || one.ariaLabel)"
        )
        assert buttons
        assert not [title for title in buttons if "loud" in title or "hare" in title], "none sends the data away"
        page.emulate_media(media="print")
        assert not page.locator(".controls").first.is_visible()
        assert logged == []
        assert {url for url in requested if not url.startswith("data:")} == {report.as_uri()}
