{% macro sync_max_attempts() %}{{ return(3) }}{% endmacro %}
