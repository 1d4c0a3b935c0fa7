"""A full report's data, and what the tests read of a page."""

import html.parser
import re

EPOCHS = [
    {
        "epoch": 1,
        "loss": 0.9,
        "val_loss": 0.8,
        "val_score": 0.9312,
        "click_loss": 0.5,
        "val_click_loss": 0.4,
        "seconds": 2.5,
        "examples_per_second": 50000.4,
    },
    {
        "epoch": 2,
        "loss": 0.7,
        "zeroed_rows": 0.25,
        "val_loss": 0.6,
        "val_score": 0.8734,
        "click_loss": 0.3,
        "val_click_loss": 0.2,
        "seconds": 1.5,
        "examples_per_second": 70000.0,
    },
]
FULL = {
    "recipe": "shop",
    "description": "A shop.",
    "accounts": {
        "impression": {
            "read": 1045,
            "used": 1000,
            "duplicate": 20,
            "orphan": 0,
            "late": 0,
            "after_as_of": 5,
            "gap": 0,
            "dead_lettered": 20,
            "other": 7,
        },
        "click": {"read": 100, "used": 90, "duplicate": 1, "orphan": 2, "late": 3, "dead_lettered": 3, "other": 0},
    },
    "summary": {
        "as_of": "2026-01-15T00:00:00Z",
        "watermarks": {"click": "2026-01-15T00:00:00Z", "impression": "2026-01-15T00:00:03Z"},
        "warnings": ["stream 'click' ends early."],
        "validate_from": "2026-01-10T00:00:00Z",
        "eval_from": "2026-01-11T00:00:00Z",
        "examples": {"train": 700, "eval": 300},
        "tasks": {
            "click": {
                "train": {"examples": 700, "observed": 700, "positives": 70},
                "eval": {"examples": 300, "observed": 150, "positives": 33},
            }
        },
    },
    "days": {
        "hours": 24,
        "rows": {"impression": {"2026-01-13": 500, "2026-01-14": 520}, "click": {"2026-01-12": 40, "2026-01-14": 57}},
    },
    "metrics": {
        "curves": {
            "click": {
                "reliability": {"prediction": [0.6, 0.1], "label": [0.5, 0.2], "examples": [5, 5]},
                "roc": {"false_positive_rate": [0.0, 0.5, 1.0], "true_positive_rate": [0.0, 0.7, 1.0]},
                "precision_recall": {"recall": [0.5, 1.0], "precision": [1.0, 0.3]},
                "lift": {"share": [0.5, 1.0], "lift": [1.6, 0.4], "gain": [0.8, 1.0]},
                "histogram": {"positive": [0.5] * 2, "negative": [0.5] * 2},
            }
        },
        "intervals": {
            "click": {
                "auc": {"lower": 0.7312, "upper": 0.7688, "standard_error": 0.0096},
                "log_loss": {"why": "no variance"},
            }
        },
        "tasks": {"click": {"auc": 0.75, "log_loss": 0.31, "gauc": None, "example_count": 300, "positive_count": 33}},
        "slices": [
            {
                "slice": {"device": device},
                "task": "click",
                "auc": auc,
                "log_loss": 0.3,
                "example_count": 9,
                "positive_count": 3,
            }
            for device, auc in (("phone", 0.8), ("tv", 0.6), ("desktop", 0.7), ("watch", None))
        ],
        "truth": {"click": {"auc": 0.78, "log_loss": 0.29, "auc_gap": 0.03, "log_loss_gap": 0.02}},
        "gates": [
            {
                "task": "click",
                "metric": "auc",
                "slice": {},
                "limit": "at least 0.7",
                "value": 0.75,
                "held": True,
                "message": "",
            },
            {
                "task": "click",
                "metric": "auc",
                "slice": {"device": "tv"},
                "limit": "at least 0.65",
                "value": 0.6,
                "held": False,
                "message": "tv is poor",
            },
        ],
        "baseline": {"click": {"auc": 0.74, "log_loss": 0.3, "gauc": None}},
        "constant": {
            "click": {
                "mean": 0.1,
                "metrics": {"auc": 0.5, "log_loss": 0.305},
                "by": "log_loss",
                "model": 0.31,
                "beaten": False,
            }
        },
        "ungated": ["order"],
    },
    "history": {"epochs": EPOCHS, "best_epoch": 2, "rows": 700, "shrinkage": {"click": 0.62, "order": 1.0}},
    "gates": {"click": [0.75, 0.25], "order": [0.1, 0.9]},
    "experts": {
        "tasks": {
            "click": {
                "experts": ["click 1", "all tasks 1"],
                "mean": [0.75, 0.25],
                "entropy": 0.5623,
                "relative_entropy": 0.8113,
                "example_entropy": 0.2,
            },
            "order": {
                "experts": ["order 1", "all tasks 1"],
                "mean": [0.1, 0.9],
                "entropy": 0.3251,
                "relative_entropy": 0.469,
                "example_entropy": 0.3251,
            },
        },
        "dead": [],
    },
    "run": {
        "stages": [
            {"name": "event_logs", "rows": 1140, "seconds": 2.0, "rows_per_second": 570.0, "cached": False},
            {"name": "trainer", "rows": 700, "seconds": 8.0, "rows_per_second": 87.5, "cached": True},
        ],
        "blessed": False,
        "failed_gates": ["tv is poor"],
        "pushed": None,
    },
    "about": {"tfx": "1.21.0"},
}
VOID = {"meta", "br", "img", "link", "input", "hr", "use", "path"}


class Outline(html.parser.HTMLParser):
    """Checks that elements are closed in order; keeps tags, texts and attributes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts, self.links = [], [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("href", "src", "action", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("href", "src", "xlink:href")]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def rows(text, section):
    """The section's tables as lists of cells."""
    part = re.search(rf'<section id="{section}".*?</section>', text, re.DOTALL)[0]
    found = re.findall(r"<tr.*?</tr>", part, re.DOTALL)
    return [
        [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in found
    ]
