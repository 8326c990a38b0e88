{# Native hashes, because md5 takes ten times as long and 10 million keys are hashed twice a run.
   They are good enough for ids whose collisions are looked for; `seed` gives another draw.
   DuckDB's is unsigned: one bit is given up for a bigint. #}
{% macro key_id(expr, seed) %}
    {{- return(adapter.dispatch('key_id', 'cdp')(expr, seed)) -}}
{% endmacro %}

{% macro default__key_id(expr, seed) -%}
    {{ hash_bigint("'" ~ seed ~ ":' || " ~ expr) }}
{%- endmacro %}

{% macro duckdb__key_id(expr, seed) -%}
    cast(hash({{ expr if seed == 0 else "'" ~ seed ~ ":' || " ~ expr }}) >> 1 as bigint)
{%- endmacro %}

{% macro postgres__key_id(expr, seed) -%}
    hashtextextended({{ expr }}, {{ seed }})
{%- endmacro %}

{% macro spark__key_id(expr, seed) -%}
    xxhash64({{ expr if seed == 0 else "'" ~ seed ~ ":' || " ~ expr }})
{%- endmacro %}
