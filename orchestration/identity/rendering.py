"""Answers of ``explain`` as text, JSON, or a picture of records and the evidence between them."""

import json
import math
from dataclasses import asdict
from html import escape
from typing import Any

from orchestration.identity.explain import ApartAnswer, CustomerAnswer, Link, LinkAnswer

Answer = LinkAnswer | ApartAnswer | CustomerAnswer


def rendered(answer: Answer, form: str) -> str:
    """The answer as ``text``, ``json`` or ``svg``."""
    if form == "json":
        return json.dumps(asdict(answer), indent=1, default=str)
    if form == "svg":
        return picture(answer)
    if isinstance(answer, LinkAnswer):
        return "\n".join(_link_lines(answer))
    if isinstance(answer, ApartAnswer):
        return "\n".join(_apart_lines(answer))
    return "\n".join(_customer_lines(answer))


def _link_lines(answer: LinkAnswer) -> list[str]:
    pair = f"{answer.left_record_key} and {answer.right_record_key}"
    if answer.customer_id is None:
        return [f"{pair} are two customers; `cdp explain apart` says why."]
    return [
        f"{pair} are customer {answer.customer_id}, {len(answer.path)} link(s) apart:",
        *(f"  {_link_text(link)}" for link in answer.path),
    ]


def likeness_text(likeness: dict[str, Any]) -> str:
    """``0.97 (first_name near +4.1, last_name equal +9.8 bits)``."""
    told = ", ".join(
        f"{name} {found['level']} {found['bits']:+.1f}"
        for name, found in likeness["comparisons"].items()
    )
    return f"{likeness['probability']:.2f} ({told} bits)"


def _link_text(link: Link) -> str:
    if link.likeness:
        ends = f"{link.left_record_key} = {link.right_record_key}"
        return f"{ends}: {link.rule} {likeness_text(link.likeness)}"
    seen = " / ".join(str(time)[:10] if time else "?" for time in link.observed_at)
    value = f" {link.value}" if link.value else ""
    ends = f"{link.left_record_key} = {link.right_record_key}"
    return f"{ends}: {link.rule}{value} ({link.tier}, seen {seen})"


def _apart_lines(answer: ApartAnswer) -> list[str]:
    pair = f"{answer.left_record_key} and {answer.right_record_key}"
    if answer.left_customer_id == answer.right_customer_id:
        return [f"{pair} are one customer, {answer.left_customer_id}."]
    lines = [f"{pair} are two customers."]
    for reason in answer.reasons:
        if reason["kind"] == "similarity":
            ends = f"{reason['left_record_key']} and {reason['right_record_key']}"
            lines.append(f"  similarity: {ends}, {reason['outcome']}, {likeness_text(reason)}")
            continue
        facts = ", ".join(f"{k} {v}" for k, v in reason.items() if k != "kind" and v is not None)
        lines.append(f"  {reason['kind']}: {facts}")
    return lines if answer.reasons else [*lines, "  They share no value, and nothing was decided."]


def _customer_lines(answer: CustomerAnswer) -> list[str]:
    lines = [f"customer {answer.customer_id}"]
    if answer.asked_for != answer.customer_id:
        lines.append(f"  asked for as {answer.asked_for}, a former id")
    sections = {
        "records": [f"{r['record_key']} since {r['first_loaded_at']}" for r in answer.records],
        "links": [_link_text(link) for link in answer.links],
        "identifiers": [
            f"{i['identifier_type']} {i['identifier_value']} in {i['record_count']} record(s)"
            for i in answer.identifiers
        ],
        "history": [
            f"run {c['run_number']} ({c['as_of']}): {c['customer_id']} {c['change_type']}"
            + (f" {c['other_customer_id']}" if c["other_customer_id"] else "")
            + f" by {c['cause']}"
            for c in answer.changes
        ],
    }
    for title, entries in sections.items():
        lines += [f"  {title}:", *(f"    {entry}" for entry in entries or ["none"])]
    return lines


def picture(answer: Answer) -> str:
    """An SVG of 800 by 800: records on a circle, a line per link with its rule."""
    links, keys = _graph(answer)
    size, middle, radius = 800, 400, 300
    places: dict[str, tuple[float, float]] = {}
    for number, key in enumerate(keys):
        angle = 2 * math.pi * number / max(len(keys), 1) - math.pi / 2
        places[key] = (middle + radius * math.cos(angle), middle + radius * math.sin(angle))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}"'
        f' viewBox="0 0 {size} {size}" font-family="sans-serif" font-size="12">',
        f'<rect width="{size}" height="{size}" fill="white"/>',
    ]
    for link in links:
        (x1, y1), (x2, y2) = places[link.left_record_key], places[link.right_record_key]
        parts.append(f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"'
                     ' stroke="#88a" stroke-width="1.5"/>')  # fmt: skip
        label = escape(f"{link.rule} {link.value or ''}".strip())
        parts.append(f'<text x="{(x1 + x2) / 2:.0f}" y="{(y1 + y2) / 2:.0f}"'
                     f' fill="#557" text-anchor="middle">{label}</text>')  # fmt: skip
    for key, (x, y) in places.items():
        parts.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="7" fill="#246"/>')
        parts.append(f'<text x="{x:.0f}" y="{y - 12:.0f}" text-anchor="middle">'
                     f"{escape(key)}</text>")  # fmt: skip
    return "\n".join([*parts, "</svg>"])


def _graph(answer: Answer) -> tuple[list[Link], list[str]]:
    if isinstance(answer, CustomerAnswer):
        return answer.links, [record["record_key"] for record in answer.records]
    ends = [answer.left_record_key, answer.right_record_key]
    links: list[Any] = answer.path if isinstance(answer, LinkAnswer) else []
    keys = {key: None for link in links for key in (link.left_record_key, link.right_record_key)}
    return links, list(dict.fromkeys([*keys, *ends]))
