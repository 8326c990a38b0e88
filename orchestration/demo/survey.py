"""Surveys: people asked, answers to "would you recommend us", product reviews."""

from __future__ import annotations

import numpy as np

from orchestration.demo import keys, noise, text
from orchestration.demo.catalog import Catalog
from orchestration.demo.persons import Persons
from orchestration.demo.phrases import COMMENTS, TITLES
from orchestration.demo.settings import Settings, scattered
from orchestration.demo.shop import KEYS, Shop, with_duplicates
from orchestration.demo.tables import Block

ANSWERS_PER_BLOCK = 1_000_000


def respondent_ids(numbers: np.ndarray):
    return text.numbered("V", numbers, 10)


def write_survey(
    out: Block, settings: Settings, persons: Persons, catalog: Catalog, shop: Shop
) -> None:
    """Write survey.respondents, nps_responses and reviews of a block."""
    rng = settings.rng("survey", out.number)
    rows = np.flatnonzero(persons.member_of["survey"])
    n = len(rows)
    number = scattered(persons.number[rows], settings.seed, 81, KEYS)
    room = settings.end - 10 * text.DAY - persons.acquired[rows]
    created = persons.acquired[rows] + (rng.random(n) * np.maximum(room, 0)).astype(np.int64)
    out.is_truth(text.join("survey:", respondent_ids(number)), persons.ids(rows))
    loaded = noise.loads(rng, settings, created, every=text.DAY)
    columns = {
        "respondent_id": respondent_ids(number),
        "email": keys.spell_emails(rng, persons.emails_at(rows, created), typo=0.002),
        "name": text.blank(noise.full_names(rng, persons, rows), rng.random(n) < 0.5),
        "created_at": text.timestamps(created),
        "updated_at": text.timestamps(created),
        "loaded_at": loaded,
    }
    out.write("survey", "respondents", columns, with_duplicates(rng, loaded, 0.004))

    mood = np.clip(rng.normal(7.6, 2.2, n), 0, 10)
    at = np.repeat(np.arange(n), 1 + rng.poisson(0.3, n))
    _write_answers(out, settings, persons, shop, rows, number, created, mood, at)
    at = np.repeat(np.arange(n), rng.poisson(0.8, n))
    _write_reviews(out, settings, persons, catalog, shop, rows, number, created, mood, at)


def _submitted(rng, settings, created, at):
    delay = rng.exponential(3 * text.DAY, len(at)).astype(np.int64)
    return np.minimum(created[at] + delay, settings.end - text.HOUR)


def _comments(rng, country, level):
    words = [word for language in COMMENTS for mood in language for word in mood]
    code = country * 6 + level * 2 + rng.integers(0, 2, len(country))
    return text.dictionary(words, code)


def _write_answers(out, settings, persons, shop, rows, number, created, mood, at) -> None:
    rng = settings.rng("nps", out.number)
    n = len(at)
    score = np.clip(np.round(mood[at] + rng.normal(0, 1, n)), 0, 10).astype(np.int64)
    level = np.searchsorted([7, 9], score, side="right")
    submitted = _submitted(rng, settings, created, at)
    order = shop.latest_orders(rows[at])
    email = persons.emails_at(rows[at], submitted)
    comment = _comments(rng, persons.country[rows[at]], level)
    has_secret = rng.random(n) < 0.01
    comment = text.where(has_secret, text.join(comment, " ", email), comment)
    answer_id = text.numbered(
        "", scattered(out.number * ANSWERS_PER_BLOCK + np.arange(n), settings.seed, 82, KEYS), 10
    )
    is_bad = rng.random(n) < 0.003
    words = [*(str(value) for value in range(11)), "11", "ten", "-1"]
    shown = np.where(is_bad, rng.integers(11, 14, n), score)
    out.planted(
        "score out of range", "survey", "nps_responses",
        text.take(answer_id, np.flatnonzero(is_bad)), "quarantined",
    )  # fmt: skip
    loaded = noise.loads(rng, settings, submitted)
    columns = {
        "response_id": answer_id,
        "respondent_id": respondent_ids(number[at]),
        "order_id": shop.order_ids(order),
        "score": text.dictionary(words, shown),
        "comment": text.blank(comment, rng.random(n) < 0.5),
        "submitted_at": text.timestamps(submitted),
        "loaded_at": loaded,
    }
    out.write("survey", "nps_responses", columns, with_duplicates(rng, loaded, 0.004))


def _write_reviews(out, settings, persons, catalog, shop, rows, number, created, mood, at) -> None:
    rng = settings.rng("reviews", out.number)
    n = len(at)
    rating = np.clip(np.round(mood[at] / 2 + rng.normal(0, 0.7, n)), 1, 5).astype(np.int64)
    level = np.searchsorted([3, 4], rating, side="right")
    country = persons.country[rows[at]]
    submitted = _submitted(rng, settings, created, at)
    bought = shop.first_products(shop.latest_orders(rows[at]))
    product = (len(catalog.price) * rng.random(n) ** 1.5).astype(np.int64)
    product = np.where(bought >= 0, bought, product)
    loaded = noise.loads(rng, settings, submitted)
    review = scattered(out.number * ANSWERS_PER_BLOCK + np.arange(n), settings.seed, 83, KEYS)
    titles = [title for language in TITLES for title in language]
    columns = {
        "review_id": text.numbered("", review, 10),
        "respondent_id": respondent_ids(number[at]),
        "product_id": text.dictionary(catalog.product_ids, product),
        "rating": text.numbers(rating),
        "title": text.dictionary(titles, country * 3 + level, rng.random(n) < 0.2),
        "body": _comments(rng, country, level),
        "submitted_at": text.timestamps(submitted),
        "loaded_at": loaded,
    }
    out.write("survey", "reviews", columns, with_duplicates(rng, loaded, 0.004))
