"""A headless Chromium for tests of pages, and what it is asked about them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).parents[3]


def driver() -> ModuleType:
    """scripts/chromium.py"""
    spec = importlib.util.spec_from_file_location("scripts_chromium", REPOSITORY / "scripts" / "chromium.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHROMIUM = driver()


# What sticks out to the side, and whether all text can be told from what is behind it (WCAG 2.2, 1.4.3 and 1.4.10).
MEASURE = """(() => {
  const rgb = (s) => s.match(/[0-9.]+/g).map(Number);
  const lum = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  let worst = {contrast: 99};
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.getBoundingClientRect().width) continue;
    if (e.matches(":disabled") || e.closest("script, .unseen")) continue;
    const drawn = e.closest("svg");
    const own = rgb(getComputedStyle(e)[drawn ? "fill" : "color"]);
    const [a, b] = [lum(own), lum(behind(drawn || e))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < worst.contrast) worst = {contrast, where: e.tagName + "." + e.getAttribute("class")};
  }
  const page = getComputedStyle(document.body).backgroundColor;
  return {worst, page, wide: document.documentElement.scrollWidth, title: document.title};
})()"""
