{# The conditions of form_comparisons: what two forms `l` and `r` may have in common. #}

{# One slip of the hand. Two neighbours exchanged count as two edits of an equal length. #}
{% macro is_typed_like(column) -%}
    {%- set distance = edit_distance('l.' ~ column, 'r.' ~ column) -%}
    {%- do return('((' ~ distance ~ ' <= 1 and least(length(l.' ~ column ~ '), length(r.' ~ column
        ~ ')) >= 3) or (' ~ distance ~ ' <= 2 and length(l.' ~ column ~ ') = length(r.' ~ column
        ~ ') and length(l.' ~ column ~ ') >= 5))') -%}
{%- endmacro %}

{# At most every third letter differs. #}
{% macro is_spelled_like(column) -%}
    {%- do return(edit_distance('l.' ~ column, 'r.' ~ column) ~ ' * 3 <= greatest(length(l.'
        ~ column ~ '), length(r.' ~ column ~ '))') -%}
{%- endmacro %}

{# J and Jean, Lefevre and Lefevre-Martin. #}
{% macro is_short_for(column, letters) -%}
    {%- do return('(least(length(l.' ~ column ~ '), length(r.' ~ column ~ ')) >= ' ~ letters
        ~ ' and (substr(l.' ~ column ~ ', 1, length(r.' ~ column ~ ')) = r.' ~ column
        ~ ' or substr(r.' ~ column ~ ', 1, length(l.' ~ column ~ ')) = l.' ~ column ~ '))') -%}
{%- endmacro %}

{# `full_names` are the names that one may be short for, each between bars. #}
{% macro is_nickname() -%}
    {%- do return("(l.full_names like '%|' || r.first_name || '|%' or r.full_names like '%|' || "
        ~ "l.first_name || '|%' or l.full_names = r.full_names)") -%}
{%- endmacro %}

{# At most two edits in a long mailbox; the digits of anna.ruiz42 tell her from anna.ruiz43. #}
{% macro is_email_near() -%}
    {%- do return('(l.mailbox_digits = r.mailbox_digits'
        ~ ' and least(length(l.mailbox), length(r.mailbox)) >= 6 and '
        ~ edit_distance('l.email', 'r.email') ~ ' <= 2)') -%}
{%- endmacro %}

{% macro is_email_similar() -%}
    {%- do return('(' ~ edit_distance('l.email', 'r.email')
        ~ ' * 2 <= least(length(l.mailbox), length(r.mailbox)))') -%}
{%- endmacro %}

{# Most mailboxes are made of the name: two with alike names have alike ones whoever they are, and
   what the names said must not count twice. #}
{% macro is_email_like_the_name() -%}
    {%- do return('(l.mailbox != r.mailbox and not ' ~ is_email_near()
        ~ ' and not coalesce(' ~ are_mailboxes_of_own_names() ~ ', false)'
        ~ ' and ' ~ is_email_similar()
        ~ " and (coalesce(l.first_name in (r.first_name, coalesce(r.last_name, '')), false)"
        ~ " or coalesce(l.last_name in (r.last_name, coalesce(r.first_name, '')), false)"
        ~ ' or coalesce(' ~ is_spelled_like('first_name') ~ ', false)'
        ~ ' or coalesce(' ~ is_spelled_like('last_name') ~ ', false)))') -%}
{%- endmacro %}

{# Lina with lina.morel@ and Lila with lila.morel@ are twins: a slip in a name is not repeated in
   the address. #}
{% macro are_mailboxes_of_own_names() -%}
    {%- do return("(l.first_name not in (r.first_name, coalesce(r.last_name, ''))"
        ~ " and r.first_name != coalesce(l.last_name, '') and least(length(l.first_name),"
        ~ " length(r.first_name)) >= 3 and l.mailbox like '%' || l.first_name || '%'"
        ~ " and r.mailbox like '%' || r.first_name || '%')") -%}
{%- endmacro %}

{# Father and son; the first of January is what forms fill in when nothing is known. #}
{% macro are_a_generation_apart() -%}
    {%- do return("(abs(cast(substr(l.birth_date, 1, 4) as integer)"
        ~ " - cast(substr(r.birth_date, 1, 4) as integer)) > 12"
        ~ " and '0101' not in (substr(l.birth_date, 5, 4), substr(r.birth_date, 5, 4)))") -%}
{%- endmacro %}

{# Dates are texts of eight digits, the year first. #}
{% macro is_day_month_swap() -%}
    {%- do return('(substr(l.birth_date, 1, 4) = substr(r.birth_date, 1, 4)'
        ~ ' and substr(l.birth_date, 5, 2) = substr(r.birth_date, 7, 2)'
        ~ ' and substr(l.birth_date, 7, 2) = substr(r.birth_date, 5, 2))') -%}
{%- endmacro %}

{% macro are_two_date_parts_equal() -%}
    {%- do return('substr(l.birth_date, 1, 6) = substr(r.birth_date, 1, 6)'
        ~ ' or substr(l.birth_date, 5, 4) = substr(r.birth_date, 5, 4)'
        ~ ' or (substr(l.birth_date, 1, 4) = substr(r.birth_date, 1, 4)'
        ~ ' and substr(l.birth_date, 7, 2) = substr(r.birth_date, 7, 2))') -%}
{%- endmacro %}
