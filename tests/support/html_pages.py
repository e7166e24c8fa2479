"""What a browser would see in a page, read with the parser of the standard library."""

import base64
import json
from html.parser import HTMLParser

import numpy as np

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """The elements of a page: tag, attributes and text of each; it fails where a tag is not closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        self.close()
        assert not self.open, "all elements are closed"

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **attributes):
        return [e for e in self.elements if e["tag"] == tag and all(e.get(k) == v for k, v in attributes.items())]

    def charts(self):
        """The figures of all boards: by the id of the chart, by the numbers of the options."""
        contents = [json.loads(e["text"]) for e in self.all("script", type="application/json")]
        return {name: chart["figures"] for content in contents for name, chart in content["charts"].items()}


def numbers(packed):
    """The numbers of an array as plotly packs it."""
    if not isinstance(packed, dict):
        return np.asarray(packed, dtype=float)
    flat = np.frombuffer(base64.b64decode(packed["bdata"]), dtype="<" + packed["dtype"])
    return flat.reshape([int(n) for n in packed["shape"].split(",")]) if "shape" in packed else flat
