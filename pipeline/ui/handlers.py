"""The pages and the JSON of `gatewise ui`."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import Any
from urllib.parse import urlsplit

import jinja2
import tornado.web

from models.recipe.errors import GatewiseError, InputError, masked
from pipeline.report_style import STYLE
from pipeline.ui import pages
from pipeline.ui.pushed import models_of

SECURITY = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def environment() -> jinja2.Environment:
    """The templates. Every value is escaped."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.ui"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Handler(tornado.web.RequestHandler):
    """What all requests share: allowed hosts, security headers, errors in words."""

    def set_default_headers(self) -> None:
        for name, value in SECURITY.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        """Refuses a request that names another host: a web page elsewhere could point its own name at loopback."""
        from pipeline.ui.server import is_loopback

        name = urlsplit(f"//{self.request.host}").hostname or ""
        if not self.settings["public"] and not is_loopback(name):
            raise tornado.web.HTTPError(403, "This address is not served. Open the one that gatewise ui printed.")

    async def page(self, template: str, **values: Any) -> None:
        root = self.settings["root"]
        playable = bool(await in_thread(models_of, root))
        made = self.settings["templates"].get_template(template)
        self.write(made.render(root=str(root), path=self.request.path, playable=playable, **values))

    def write_error(self, status_code: int, **about: Any) -> None:
        error = (about.get("exc_info") or (None, None, None))[1]
        if isinstance(error, GatewiseError):
            status_code, message = 404 if self.request.method == "GET" else 400, str(error)
        elif isinstance(error, tornado.web.HTTPError):
            message = error.log_message or f"{status_code}: {self._reason}"
        else:
            message = f"{type(error).__name__}: {error}. This is a defect of gatewise; the terminal shows where."
        self.set_status(status_code)
        if self.request.path.startswith("/api/"):
            self.finish({"message": masked(message)})
            return
        made = self.settings["templates"].get_template("message.html")
        self.finish(
            made.render(
                root=str(self.settings["root"]), path="", playable=True, title="Not found", message=masked(message)
            )
        )

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if not isinstance(value, GatewiseError | tornado.web.HTTPError):
            print(masked("".join(traceback.format_exception(typ, value, tb))), flush=True)


class Static(tornado.web.StaticFileHandler):
    """Files of the package."""

    def set_extra_headers(self, path: str) -> None:
        for name, value in SECURITY.items():
            self.set_header(name, value)


class First(Handler):
    async def get(self) -> None:
        self.redirect("/playground" if await in_thread(models_of, self.settings["root"]) else "/runs")


class PlaygroundPage(Handler):
    async def get(self) -> None:
        models = list(await in_thread(models_of, self.settings["root"]))
        await self.page("playground.html", models=models, chosen=self.get_query_argument("model", ""))


class Runs(Handler):
    async def get(self) -> None:
        await self.page("runs.html", **await in_thread(pages.runs_page, self.settings["root"]))


class Run(Handler):
    async def get(self, run: str) -> None:
        await self.page("run.html", **await in_thread(pages.run_page, self.settings["root"], run))


class RunParts(Handler):
    async def get(self, run: str) -> None:
        made = await asyncio.wrap_future(self.settings["reports"].made(run))
        self.write(made.parts)


class RunReport(Handler):
    async def get(self, run: str) -> None:
        made = await asyncio.wrap_future(self.settings["reports"].made(run))
        self.write(made.report)


class Versions(Handler):
    async def get(self) -> None:
        await self.page("versions.html", models=await in_thread(pages.versions_page, self.settings["root"]))


class Comparisons(Handler):
    async def get(self) -> None:
        await self.page("comparisons.html", found=await in_thread(pages.comparisons_page, self.settings["root"]))


class Comparison(Handler):
    async def get(self, recipe: str, comparison: str) -> None:
        file = await in_thread(pages.comparison_file, self.settings["root"], recipe, comparison)
        self.write(await in_thread(file.read_text, "utf-8"))


class ReportStyle(Handler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/css; charset=utf-8")
        self.write(STYLE)


class Model(Handler):
    """The state of a version; the first request starts to load it."""

    async def get(self) -> None:
        model, version = self.get_query_argument("model", "") or None, self.get_query_argument("version", "")
        self.write(await in_thread(self.settings["sessions"].state, model, _whole(version)))


class Rank(Handler):
    """Ranks items for a user: see `Playground.answer`."""

    async def post(self) -> None:
        # Other sites cannot send this type without asking first.
        if self.request.headers.get("Content-Type", "").split(";")[0].strip() != "application/json":
            raise tornado.web.HTTPError(415, "Expected Content-Type: application/json.")
        try:
            request = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise InputError("Request: expected a JSON object.") from None
        if not isinstance(request, dict) or not isinstance(request.get("model"), str):
            raise InputError("Request: expected a JSON object with `model` and `version`.")
        asked = self.settings["sessions"].submit(
            request["model"], _whole(request.get("version")), lambda playground: playground.answer(request)
        )
        self.write(await asyncio.wrap_future(asked))


class Missing(Handler):
    def prepare(self) -> None:
        super().prepare()
        raise tornado.web.HTTPError(404, f"No page {self.request.path}.")


async def in_thread(function: Any, *arguments: Any) -> Any:
    """Calls a function that reads files without blocking other requests."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


def _whole(version: Any) -> int | None:
    if version in (None, ""):
        return None
    if str(version).isascii() and str(version).isdecimal():
        return int(version)
    raise InputError(f"version: expected a number, received {version!r}.")


def routes() -> list[tuple[str, type[tornado.web.RequestHandler]]]:
    """(pattern, handler) of all addresses."""
    return [
        (r"/", First),
        (r"/playground", PlaygroundPage),
        (r"/runs", Runs),
        (r"/runs/([^/]+)", Run),
        (r"/runs/([^/]+)/parts", RunParts),
        (r"/runs/([^/]+)/report", RunReport),
        (r"/versions", Versions),
        (r"/comparisons", Comparisons),
        (r"/comparisons/([^/]+)/([^/]+)", Comparison),
        (r"/report.css", ReportStyle),
        (r"/api/model", Model),
        (r"/api/rank", Rank),
        (r".*", Missing),
    ]
