{{/* The pod of the control plane. */}}

{{- define "vcluster.pod" -}}
{{- $set := .Values.controlPlane.statefulSet }}
{{- $k8s := .Values.controlPlane.distro.k8s }}
terminationGracePeriodSeconds: 15
serviceAccountName: {{ include "vcluster.serviceAccount" . }}
enableServiceLinks: {{ $set.enableServiceLinks }}
{{- with $set.scheduling.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $set.scheduling.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $set.scheduling.topologySpreadConstraints }}
topologySpreadConstraints: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $set.scheduling.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $set.scheduling.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $set.hostAliases }}
hostAliases: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $set.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with $set.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with $set.dnsConfig }}
dnsConfig: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $set.security.podSecurityContext }}
securityContext: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: config
    secret:
      secretName: vc-config-{{ .Release.Name }}
  - name: tmp
    emptyDir: {}
  {{- if $set.persistence.dataVolume }}
  {{- toYaml $set.persistence.dataVolume | nindent 2 }}
  {{- else if not (include "vcluster.claim" .) }}
  - name: data
    emptyDir: {}
  {{- end }}
  {{- toYaml $set.persistence.binariesVolume | nindent 2 }}
  {{- with $set.persistence.addVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
initContainers:
  - name: kubernetes
    image: {{ include "vcluster.kubernetesImage" . | quote }}
    {{- with $k8s.imagePullPolicy }}
    imagePullPolicy: {{ . }}
    {{- end }}
    command: {{- include "vcluster.copy" . | fromJsonArray | toYaml | nindent 6 }}
    {{- with $k8s.env }}
    env: {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext: {{- toYaml ($k8s.securityContext | default $set.security.containerSecurityContext) | nindent 6 }}
    {{- $resources := $k8s.resources }}
    {{- if eq (toJson $resources) `{"limits":{"cpu":"100m","memory":"256Mi"},"requests":{"cpu":"40m","memory":"64Mi"}}` }}
    {{- /* a tenth of a processor makes a copy of a tenth of a second last one; everybody who waits for the API waits for it */}}
    {{- $resources = merge (dict "limits" (dict "cpu" "1")) $resources }}
    {{- end }}
    resources: {{- toYaml $resources | nindent 6 }}
    volumeMounts:
      - name: binaries
        mountPath: /binaries
  {{- with $set.initContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
containers:
  - name: syncer
    image: {{ include "vcluster.image" . | quote }}
    {{- with $set.imagePullPolicy }}
    imagePullPolicy: {{ . }}
    {{- end }}
    {{- with $set.workingDir }}
    workingDir: {{ . }}
    {{- end }}
    {{- with $set.command }}
    command: {{- toYaml . | nindent 6 }}
    {{- end }}
    args: {{- $set.args | default (list "start") | toYaml | nindent 6 }}
    env:
      - name: VCLUSTER_NAME
        value: {{ .Release.Name | quote }}
      - name: LOFT_LOG_ENCODING
        value: {{ .Values.logging.encoding | quote }}
      - name: NESTLING_BIN_DIR
        value: /binaries
      {{- range $name, $path := dict "POD_NAME" "metadata.name" "POD_IP" "status.podIP" "NAMESPACE" "metadata.namespace" "NODE_NAME" "spec.nodeName" "NODE_IP" "status.hostIP" }}
      - name: {{ $name }}
        valueFrom:
          fieldRef:
            fieldPath: {{ $path }}
      {{- end }}
      {{- with $set.env }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    ports:
      - name: https
        containerPort: {{ .Values.controlPlane.proxy.port }}
      - name: kubelet
        containerPort: 10250
    {{- range $probe, $path := dict "livenessProbe" "/healthz" "readinessProbe" "/readyz" "startupProbe" "/readyz" }}
    {{- $settings := get $set.probes $probe }}
    {{- if and (eq $probe "startupProbe") (eq (int $settings.periodSeconds) 6) (eq (int $settings.failureThreshold) 300) }}
    {{- /* the same half hour of patience, asked each second: else a pod is Ready up to six seconds late */}}
    {{- $settings = merge (dict "periodSeconds" 1 "failureThreshold" 1800) $settings }}
    {{- end }}
    {{- if $settings.enabled }}
    {{ $probe }}:
      httpGet:
        path: {{ $path }}
        port: https
        scheme: HTTPS
      {{- omit $settings "enabled" | toYaml | nindent 6 }}
    {{- end }}
    {{- end }}
    securityContext: {{- toYaml $set.security.containerSecurityContext | nindent 6 }}
    resources: {{- toYaml $set.resources | nindent 6 }}
    volumeMounts:
      - name: config
        mountPath: /var/lib/vcluster
        readOnly: true
      - name: data
        mountPath: /data
      - name: binaries
        mountPath: /binaries
        readOnly: true
      - name: tmp
        mountPath: /tmp
      {{- with $set.persistence.addVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  {{- with $set.sidecarContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
