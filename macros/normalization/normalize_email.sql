{% macro normalize_email(expr) -%}
    {%- set plain = '^[A-Za-z0-9_+-]+(?:[.][A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*[.])+[A-Za-z]{2,}$' -%}
    {%- set space = character_class('space') -%}
    {%- set quote = '"\'`\u00b4\u00ab\u00bb\u2018\u2019\u201c\u201d' -%}
    {%- set visible = regexp_replace_all(expr, '[' ~ character_class('invisible') ~ ']+', '') -%}
    {%- set folded = lower_text(nfc(fold_width(visible))) -%}
    {%- set address = regexp_replace_all(folded, '^[^<>]*<([^<>]*)>[' ~ space ~ ';,.]*$', '\\1') -%}
    {%- set bare = regexp_replace_all(
        address,
        '^[' ~ space ~ quote ~ ']*(?:mailto:)?[' ~ space ~ quote ~ ']*|[' ~ space ~ quote ~ ';,.]+$',
        ''
    ) -%}
    case
        when length({{ expr }}) <= 64 and {{ regexp_matches(expr, plain) }}
            then {{ lower_text(expr) }}
        when not {{ regexp_matches(expr, '[\u212a\u0130]') }}
            then {{ bind_value(
                'valid_email',
                regexp_extract(bare, email_pattern()),
                regexp_extract(
                    email_with_ascii_domain('valid_email'),
                    '^[^@]{1,64}@(?:[^@.]{1,63}[.])+[^@.]{2,63}$'
                )
            ) }}
    end
{%- endmacro %}
