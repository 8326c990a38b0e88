{# Most addresses are clean and leave by the first branch; those with an @ or control characters
   need patterns for their path and take the last. #}
{% macro clean_url(expr) -%}
    {%- set unprintable = '\u0001-\u0020\u007f' -%}
    {%- set tag = '(?:utm_[a-z_]+|[gd]clid|[wg]braid|msclkid|fbclid|ttclid)=[^'
        ~ unprintable ~ '&#@]*' -%}
    {%- set clean = '^[^' ~ unprintable ~ '?#@]*(?:[?]' ~ tag ~ '(?:&' ~ tag ~ ')*)?$' -%}
    {%- set before_fragment = dbt.split_part(expr, "'#'", 1) -%}
    {%- set query = 'substring(' ~ before_fragment ~ ', ' ~ dbt.position("'?'", expr) ~ ' + 1)' -%}
    {%- set printable = regexp_replace_all(expr, '[' ~ unprintable ~ ']+', '') -%}
    {%- set masked_page = regexp_replace_steps(regexp_extract('printable_url', '^[^?#]*'), [
        ('^([a-zA-Z][a-zA-Z0-9+.-]*://|//)[^/]*@', '\\1'),
        ('[^/@%]+(?:@|%40)[^/]*', '[email]'),
    ]) -%}
    {%- set masked_query = regexp_replace_all(
        "'&' || substring(" ~ regexp_extract('printable_url', '[?][^#]*') ~ ', 2)',
        '&[^&]*(?:@|%40)[^&]*',
        ''
    ) -%}
    nullif(
        case
            when {{ regexp_matches(expr, clean) }} and not {{ regexp_matches(expr, '%40') }}
                then {{ expr }}
            when not {{ regexp_matches(expr, '[' ~ unprintable ~ '@]|%40') }}
                then {{ dbt.split_part(before_fragment, "'?'", 1) }}
                    || case
                        when {{ before_fragment }} like '%?%'
                            then {{ campaign_parameters("'&' || " ~ query) }}
                        else ''
                    end
            else {{ bind_value(
                'printable_url',
                printable,
                'coalesce(' ~ masked_page ~ ", '') || coalesce("
                ~ campaign_parameters(masked_query) ~ ", '')"
            ) }}
        end,
        ''
    )
{%- endmacro %}
