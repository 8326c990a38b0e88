{# Each step sorts by one of two keys, because time does not mix with numbers in a case. #}
{% macro survivorship_order(steps=['first_strategy', 'second_strategy', 'third_strategy']) -%}
    {% for step in steps %}
    case when {{ step }} = 'most_recent' then observed_at end desc nulls last,
    case {{ step }}
        when 'source_priority' then -source_priority
        when 'most_frequent' then value_record_count
        when 'verified_first' then case when is_value_verified then 1 else 0 end
        when 'longest' then value_length
        when 'most_complete' then filled_count
    end desc nulls last,
    {% endfor %}
    observed_at desc nulls last,
    source_priority,
    {{ binary_order('record_key') }}
{%- endmacro %}
