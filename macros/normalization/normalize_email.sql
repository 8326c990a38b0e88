{% macro normalize_email(expr) -%}
    {%- set plain = '^ *[A-Za-z0-9_+-]+(?:[.][A-Za-z0-9_+-]+)*'
        ~ '@(?:[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*[.])+[A-Za-z]{2,} *$' -%}
    {%- set space = character_class('space') -%}
    {%- set quote = '"\'`\u00b4\u00ab\u00bb\u2018\u2019\u201c\u201d' -%}
    {%- set invisible = '[' ~ character_class('invisible') ~ ']+' -%}
    {%- set visible = regexp_replace_all(fold_width(expr), invisible, '') -%}
    {%- set folded = lower_text(nfc(visible)) -%}
    {%- set address = regexp_replace_all(folded, '^[^<>]*<([^<>]*)>[' ~ space ~ ';,.]*$', '\\1') -%}
    {%- set opening = '^[' ~ space ~ quote ~ ']*(?:mailto:)?[' ~ space ~ quote ~ ']*' -%}
    {%- set closing = '[' ~ space ~ quote ~ ';,.]+$' -%}
    {%- set bare = regexp_replace_all(address, opening ~ '|' ~ closing, '') -%}
    case
        when length({{ expr }}) <= 64 and {{ regexp_matches(expr, plain) }}
            then {{ lower_ascii('trim(' ~ expr ~ ')') }}
        when {{ expr }} like '%@%' or {{ expr }} like '%{{ "\uff20" }}%'
            then {{ bind_value(
                'ascii_email',
                bind_value(
                    'valid_email',
                    regexp_extract(bare, email_pattern()),
                    email_with_ascii_domain('valid_email')
                ),
                'case when length(ascii_email) <= 254'
                ~ ' and ' ~ dbt.position("'@'", 'ascii_email') ~ ' <= 65'
                ~ ' and not ' ~ regexp_matches('ascii_email', '@(?:[^.]*[.])*[a-z0-9-]{64}')
                ~ ' and not ' ~ regexp_matches(expr, '[\u212a\u0130]') ~ ' then ascii_email end'
            ) }}
    end
{%- endmacro %}
