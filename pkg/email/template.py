"""Mails from templates: a text and an HTML file beside the code that fills them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

if TYPE_CHECKING:
    from collections.abc import Callable

_HTML = "html.j2"


class MailTemplate:
    """`<name>.txt.j2` and `<name>.html.j2` of a package.

    In HTML every value is escaped; a field that is used and not given is an error in both.
    """

    def __init__(self, package: str, name: str, folder: str = "templates") -> None:
        """Read them.

        Args:
            package: `pkg.alert`, for files in `pkg/alert/templates`.
            name: of the files.
            folder: that they are in.

        Raises:
            TemplateNotFound: one is missing.
            TemplateSyntaxError: one is wrong.
        """
        # ruff's S701 wants autoescape=True, which would escape the text too.
        environment = Environment(
            loader=PackageLoader(package, folder),
            autoescape=select_autoescape(enabled_extensions=(_HTML,)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._text: Callable[..., str] = environment.get_template(f"{name}.txt.j2").render
        self._html: Callable[..., str] = environment.get_template(f"{name}.{_HTML}").render

    def render(self, fields: dict[str, Any]) -> tuple[str, str]:
        """Text and HTML."""
        return self._text(fields), self._html(fields)
