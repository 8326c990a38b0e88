{% macro normalize_country(expr) -%}
    {%- set codes = (
        'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM '
        ~ 'BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX '
        ~ 'CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG '
        ~ 'GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR '
        ~ 'IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV '
        ~ 'LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE '
        ~ 'NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO '
        ~ 'RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF '
        ~ 'TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF '
        ~ 'WS YE YT ZA ZM ZW'
    ) | replace(' ', '|') -%}
    {%- set names = {
        'FR': ['fra', 'france'],
        'GB': [
            'uk', 'gbr', 'united kingdom', 'great britain', 'england', 'scotland', 'wales',
            'royaume-uni', 'royaume uni', 'grande-bretagne', 'angleterre',
        ],
        'DE': ['deu', 'germany', 'allemagne', 'deutschland'],
        'ES': ['esp', 'spain', 'espagne', 'espana'],
        'IT': ['ita', 'italy', 'italie', 'italia'],
        'CH': ['che', 'switzerland', 'suisse', 'schweiz', 'svizzera'],
        'BE': ['bel', 'belgium', 'belgique', 'belgie', 'belgien'],
        'NL': [
            'nld', 'netherlands', 'the netherlands', 'pays-bas', 'pays bas', 'nederland', 'holland',
        ],
        'LU': ['lux', 'luxembourg', 'luxemburg'],
        'PT': ['prt', 'portugal'],
        'AT': ['aut', 'austria', 'autriche', 'osterreich'],
        'IE': ['irl', 'ireland', 'irlande'],
        'DK': ['dnk', 'denmark', 'danemark', 'danmark'],
        'SE': ['swe', 'sweden', 'suede', 'sverige'],
        'NO': ['nor', 'norway', 'norvege', 'norge'],
        'FI': ['fin', 'finland', 'finlande', 'suomi'],
        'PL': ['pol', 'poland', 'pologne', 'polska'],
        'CZ': ['cze', 'czechia', 'czech republic', 'tchequie'],
        'GR': ['el', 'grc', 'greece', 'grece'],
        'RO': ['rou', 'romania', 'roumanie'],
        'HU': ['hun', 'hungary', 'hongrie'],
        'US': [
            'usa', 'united states', 'united states of america', 'etats-unis', 'etats unis', 'u.s.',
            'u.s.a.',
        ],
        'CA': ['can', 'canada'],
        'MX': ['mex', 'mexico', 'mexique'],
        'BR': ['bra', 'brazil', 'bresil', 'brasil'],
        'AU': ['aus', 'australia', 'australie'],
        'NZ': ['nzl', 'new zealand'],
        'JP': ['jpn', 'japan', 'japon'],
        'CN': ['chn', 'china', 'chine'],
        'IN': ['ind', 'india', 'inde'],
        'MA': ['mar', 'morocco', 'maroc'],
        'DZ': ['dza', 'algeria', 'algerie'],
        'TN': ['tun', 'tunisia', 'tunisie'],
        'MC': ['mco', 'monaco'],
        'TR': ['tur', 'turkey', 'turkiye', 'turquie'],
        'UA': ['ukr', 'ukraine'],
    } -%}
    {{- bind_value(
        'country_word',
        plain_word(expr),
        'coalesce(upper(' ~ regexp_extract('country_word', '^(?:' ~ codes | lower ~ ')$') ~ '), '
        ~ map_plain_values('country_word', names) ~ ')'
    ) -}}
{%- endmacro %}
