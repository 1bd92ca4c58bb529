"""Drives a headless Chromium: for tests of pages, for their pictures in the documentation, and for `bench/`.

In: a file, and what to do with it. Out: what the page says, pictures. Speaks the DevTools protocol over a pipe
(--remote-debugging-pipe), so that no port is opened and no library is needed.
https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

WHERE = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
"""The browser; None: this machine has none."""
ABSENT = "no Chromium on PATH (chromium, chromium-browser or google-chrome): pages are not looked at"
_PATIENCE = 60.0
"""Seconds for one answer."""
_OPTIONS = (
    *("--headless", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-US", "--mute-audio"),
)
# What a child gets as 3 and 4 cannot be said to subprocess.
_START = (
    "import os, sys; r, w = map(int, sys.argv[1:3]); os.dup2(r, 3); os.dup2(w, 4); os.execvp(sys.argv[3], sys.argv[3:])"
)


class Browser:
    """A browser with a profile of its own, which ends with the `with`."""

    def __init__(self) -> None:
        if WHERE is None:
            raise RuntimeError(ABSENT)
        self._folder = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # Above 4, since those are what they become.
        given = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (theirs_in, theirs_out)]
        root = ("--no-sandbox",) if os.geteuid() == 0 else ()
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _START,
                *map(str, given),
                WHERE,
                *_OPTIONS,
                *root,
                f"--user-data-dir={self._folder.name}",
            ],
            pass_fds=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for one in (theirs_in, theirs_out, *given):
            os.close(one)
        self._rest = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        """What happened in all pages."""

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.process.poll() is None:
                self.call("Browser.close")
            self.process.wait(10)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self._out)
        os.close(self._in)
        self._folder.cleanup()

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """A command, and its answer.

        Raises:
            RuntimeError: The browser refuses it, has ended, or does not answer.
        """
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + _PATIENCE
        while True:
            answer = self._read(until)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def settle(self, seconds: float) -> None:
        """Collect what happens in this time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if b"\0" not in self._rest and not select.select([self._in], [], [], left)[0]:
                return
            self.events.append(self._read(time.monotonic() + _PATIENCE))

    def _read(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._in], [], [], max(0.0, until - time.monotonic()))[0]:
                raise RuntimeError("Chromium does not answer")
            piece = os.read(self._in, 1 << 20)
            if not piece:
                raise RuntimeError("Chromium has ended")
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(text)
        return found

    def page(self, **screen: Any) -> Page:
        """A new, empty page; see `Page.look` for `screen`."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            page.call(f"{domain}.enable")
        page.look(**screen)
        return page


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self.browser = browser
        self._session = session
        self._target = target

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command about this page."""
        return self.browser.call(method, self._session, **parameters)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What happened in this page, the oldest first."""
        return [event for event in self.browser.events if event.get("sessionId") == self._session]

    def look(
        self, width: int = 1280, height: int = 900, *, dark: bool = False, media: str = "", scale: float = 1
    ) -> None:
        """How large the window is, and what the system and the medium are."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def open(self, file: Path) -> None:
        """Show a file, whole."""
        seen = len(self.browser.events)
        self.call("Page.navigate", url=file.resolve().as_uri())
        until = time.monotonic() + _PATIENCE
        while not any(
            event.get("method") == "Page.loadEventFired" and event.get("sessionId") == self._session
            for event in self.browser.events[seen:]
        ):
            if time.monotonic() > until:
                raise RuntimeError(f"{file} is not loaded")
            self.browser.settle(0.05)

    def run(self, script: str) -> Any:
        """What an expression is, as JSON; a promise is waited for.

        Raises:
            RuntimeError: It throws.
        """
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            details = done["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return done["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression is true.

        Raises:
            RuntimeError: It does not become so.
        """
        until = time.monotonic() + _PATIENCE
        while not self.run(script):
            if time.monotonic() > until:
                raise RuntimeError(f"still not: {script}")
            time.sleep(0.01)

    def click(self, selector: str) -> None:
        """A click with the mouse, as people click."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center'});"
            "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, name: str, text: str = "", *, code: int, shift: bool = False) -> None:
        """A key, pressed and released."""
        common: dict[str, Any] = {"key": name, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Text into what has the focus."""
        self.call("Input.insertText", text=text)

    def picture(self, *, whole: bool = False, clip: dict[str, float] | None = None) -> bytes:
        """The page as PNG: what the window shows, or all of it."""
        more: dict[str, Any] = {"captureBeyondViewport": whole or clip is not None}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"]}
        if clip is not None:
            more["clip"] = {**clip, "scale": 1}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", **more)["data"])

    def pdf(self) -> bytes:
        """The page as it is printed."""
        done = self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        return base64.b64decode(done["data"])

    def close(self) -> None:
        """Close the tab."""
        self.browser.call("Target.closeTarget", targetId=self._target)
