{% macro candidate_phones(digits, country) -%}
    {%- set plans = phone_plans() -%}
    {%- set home = plans[var('default_country')] -%}
    {%- set cases = [] -%}
    {%- for name, plan in plans.items() -%}
        {%- do cases.append("when '" ~ name ~ "' then '" ~ phone_plan_code(plan) ~ "'") -%}
    {%- endfor -%}
    {%- set plan = 'case ' ~ country ~ ' ' ~ cases | join(' ') ~ " else '" ~ phone_plan_code(home) ~ "' end" -%}
    {{- bind_value(
        'phone_plan',
        plan,
        "'|' || " ~ digits ~ " || '|'"
        ~ " || case when " ~ digits ~ " like '+%' then '' else"
        ~ " case when phone_plan like 't%' and " ~ digits ~ " like '0%'"
        ~ " then '+' || substring(phone_plan, 3) || substring(" ~ digits ~ ", 2) else '' end || '|'"
        ~ " || case when phone_plan like '_b%' then '+' || substring(phone_plan, 3) || " ~ digits ~ " else '' end || '|'"
        ~ " || case when " ~ digits ~ " like substring(phone_plan, 3) || '%' then '+' || " ~ digits ~ " else '' end || '|'"
        ~ " end"
    ) -}}
{%- endmacro %}
