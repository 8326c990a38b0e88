{# A link of tier `similar` is a guess: a sync of tier exact leaves out who rests on one. The
   exact rules have joined what they can before anything is compared, so a similar link is always
   the only one between two groups of records. `sync` is none while dbt parses. #}
{% macro permitted_customers(sync) -%}
    select consented_customers.customer_id
    from (
        {{ consented_customers(sync.purpose if sync else 'none', sync.channel if sync else 'none') }}
    ) as consented_customers
    {%- if var('identity_fuzzy', false) and (not sync or sync.identity_tier == 'exact') %}
    where
        not exists (
            select 1
            from {{ ref('identity_links') }} as links
            where links.customer_id = consented_customers.customer_id and links.tier = 'similar'
        )
    {%- endif %}
{%- endmacro %}
