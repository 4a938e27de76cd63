{{/*
The keys in "values" that ask for something which does not exist, added to "found": "problems", and "features" that are
named already. "known" are the keys of refusals.json, "path" is where we are. As src/nestling/config/support.py decides it:
nothing is asked for by a value that is off, empty or the default, or by one in a section that is switched off. A key of an
older release is refused whatever it says.
*/}}
{{- define "vcluster.refusals" -}}
{{- $here := . }}
{{- range $key, $known := .known }}
{{- $value := get $here.values $key }}
{{- $path := append $here.path $key }}
{{- if not (hasKey $known "keys") }}
{{- $asks := and $value (ne (toString $value) "false") (ne (toJson $value) (toJson $known.default)) }}
{{- if $known.always }}{{ $asks = hasKey $here.values $key }}{{ end }}
{{- if and $asks (not (has $known.feature $here.found.features)) }}
{{- $_ := set $here.found "features" (append $here.found.features $known.feature) }}
{{- $_ := set $here.found "problems" (append $here.found.problems (printf "%s: %s" (join "." $path) $known.refusal)) }}
{{- end }}
{{- else if kindIs "map" $value }}
{{- $on := true }}
{{- if hasKey $known "enabled" }}
{{- $switch := ternary $value.enabled $known.enabled (hasKey $value "enabled") }}
{{- $on = and $switch (ne (toString $switch) "false") }}
{{- end }}
{{- if $on }}
{{- include "vcluster.refusals" (dict "values" $value "known" $known.keys "path" $path "found" $here.found) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
