"""A generator of a retailer with known truth: raw tables of every declared source, any size.

`<out>/raw/<source>/<table>.parquet` (from 50,000 persons on a folder `<table>/part-*.parquet`)
has exactly the columns of the declared sources: text, missing values null, `loaded_at` a
timestamp. The pipeline reads nothing else. What is true is kept apart, for tests and benchmarks:

- `<out>/truth/record_truth.parquet`: record_key, person_id. Every record once, keys as in
  docs/architecture.md. A shared computer belongs to the person who owns it; bots and kiosks are
  persons of their own (`nobody-...`).
- `<out>/truth/planted_problems.parquet`: problem, source, table, native_id (key columns joined by
  `|`), expected. What was spoiled on purpose, and what it must result in.
- `<out>/truth/orders_expected.parquet`: with real orders, the sums to be reached.

One module per source writes its tables; `persons` and `purchases` make what is true, `noise` and
`keys` how it is spelled, `catalog` what is sold. Tills print the local time of their store: the
first two letters of `store_id` are its country (GB: London, others: Central Europe).
"""

from orchestration.demo.generator import Summary, generate

__all__ = ["Summary", "generate"]
