{# Whoever writes a sync model cannot forget consent: the rows come from here. No decision
   means no. A suppressed person (erasure, restriction, objection) is in no sync at all. To put
   somebody away at a destination nobody's consent is needed, so modes archive and delete list
   whom the model lists. #}
{% macro sync_rows(sync_name, segment=none) %}
    {%- set sync = sync_settings(sync_name) -%}
    {#- A name with a slip would select nobody: a sync that is empty, and green. -#}
    {%- if execute and segment is not none and segment not in var('segments') -%}
        {%- do exceptions.raise_compiler_error(
            'The sync ' ~ sync_name ~ ': there is no segment ' ~ segment ~ '; vars.segments lists '
            ~ var('segments') | join(', ') ~ '.'
        ) -%}
    {%- endif -%}
    select members.customer_id

    from {{ ref('segment_members') if segment else ref('customers') }} as members

    {%- set conditions = [] %}
    {%- if segment %}{% do conditions.append("members.segment_name = '" ~ segment ~ "'") %}{% endif %}
    {%- set permitted = permitted_customers(sync) %}
    {%- if not sync or sync.mode not in ['archive', 'delete'] %}
        {%- do conditions.append('members.customer_id in (\n' ~ permitted ~ '\n)') %}
    {%- endif %}
    {%- if conditions %}

    where
        {{ conditions | join('\n        and ') }}
    {%- endif %}
{%- endmacro %}
