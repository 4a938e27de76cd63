{{/* Names, labels and decisions that several templates share. */}}

{{- define "vcluster.labels" -}}
app: vcluster
chart: "{{ .Chart.Name }}-{{ .Chart.Version }}"
release: {{ .Release.Name | quote }}
heritage: {{ .Release.Service | quote }}
{{- end }}

{{/* Annotations of an object: those for all objects, then its own. Call with (dict "root" . "own" ANNOTATIONS). */}}
{{- define "vcluster.annotations" -}}
{{- $all := merge (dict) (.own | default dict) (.root.Values.controlPlane.advanced.globalMetadata.annotations | default dict) }}
{{- if $all }}
annotations:
{{ toYaml $all | indent 2 }}
{{- end }}
{{- end }}

{{- define "vcluster.serviceAccount" -}}
{{- .Values.controlPlane.advanced.serviceAccount.name | default (printf "vc-%s" .Release.Name) }}
{{- end }}

{{- define "vcluster.workloadServiceAccount" -}}
{{- .Values.controlPlane.advanced.workloadServiceAccount.name | default (printf "vc-workload-%s" .Release.Name) }}
{{- end }}

{{- define "vcluster.clusterRole" -}}
{{- printf "vc-%s-v-%s" .Release.Name .Release.Namespace | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* "true" for true and "true"; auto and everything else is empty. */}}
{{- define "vcluster.on" -}}
{{- if eq (toString .) "true" }}true{{ end }}
{{- end }}

{{/* "true" when the store is beside the API server. */}}
{{- define "vcluster.storeInPod" -}}
{{- $store := .Values.controlPlane.backingStore }}
{{- if not (or $store.etcd.deploy.enabled $store.etcd.external.enabled $store.database.external.enabled) }}true{{ end }}
{{- end }}

{{/* "true" when there is a claim for the data: asked for, or auto with a store beside the API server. */}}
{{- define "vcluster.claim" -}}
{{- $persistence := .Values.controlPlane.statefulSet.persistence }}
{{- $wanted := toString $persistence.volumeClaim.enabled }}
{{- if or $persistence.volumeClaimTemplates (and (not $persistence.dataVolume) (or (eq $wanted "true") (and (eq $wanted "auto") (include "vcluster.storeInPod" .)))) }}true{{ end }}
{{- end }}

{{- define "vcluster.kind" -}}
{{- if or (include "vcluster.claim" .) (include "vcluster.storeInPod" .) }}StatefulSet{{ else }}Deployment{{ end }}
{{- end }}

{{/* registry/repository:tag. Call with (dict "root" . "image" IMAGE "tag" DEFAULT). */}}
{{- define "vcluster.reference" -}}
{{- $registry := .root.Values.controlPlane.advanced.defaultImageRegistry | default .image.registry }}
{{- $tag := .image.tag | default .tag }}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end }}{{ .image.repository }}{{ if $tag }}:{{ $tag }}{{ end }}
{{- end }}

{{/*
The image of the control plane. Values that were written for vCluster may name its image, which holds another program:
ours stands at its place in the same registry, in the version of this chart.
*/}}
{{- define "vcluster.image" -}}
{{- $image := .Values.controlPlane.statefulSet.image }}
{{- if regexMatch "^loft-sh/vcluster(-pro|-oss)?$" $image.repository }}
{{- $image = dict "registry" $image.registry "repository" "nestling-dev/nestling" "tag" "" }}
{{- end }}
{{- include "vcluster.reference" (dict "root" . "image" $image "tag" .Chart.AppVersion) }}
{{- end }}

{{/* The image with the stock Kubernetes binaries below /kubernetes; distro.k8s.version chooses its tag. */}}
{{- define "vcluster.kubernetesImage" -}}
{{- $k8s := .Values.controlPlane.distro.k8s }}
{{- $image := dict "registry" $k8s.image.registry "repository" $k8s.image.repository "tag" ($k8s.version | default $k8s.image.tag) }}
{{- include "vcluster.reference" (dict "root" . "image" $image "tag" "") }}
{{- end }}

{{/*
What copies the stock binaries, as JSON: those that are started, because the container may use a tenth of a processor. kine
is among them for data of vCluster's, whose store is found out in the pod. Everything is copied from an image that we do
not know, and when somebody else may look for a program there.
*/}}
{{- define "vcluster.copy" -}}
{{- $k8s := .Values.controlPlane.distro.k8s }}
{{- $set := .Values.controlPlane.statefulSet }}
{{- $known := regexMatch "(^|/)(loft-sh|nestling-dev)/kubernetes$" $k8s.image.repository }}
{{- $others := or $k8s.apiServer.command $k8s.controllerManager.command $k8s.scheduler.command $set.command $set.initContainers $set.sidecarContainers .Values.controlPlane.coredns.embedded }}
{{- if or $others (not $known) }}
{{- list "cp" "-r" "/kubernetes/." "/binaries" | toJson }}
{{- else }}
{{- $names := list "kube-apiserver" "kube-controller-manager" }}
{{- if include "vcluster.virtualScheduler" . }}{{ $names = append $names "kube-scheduler" }}{{ end }}
{{- $store := .Values.controlPlane.backingStore }}
{{- if or (include "vcluster.storeInPod" .) $store.database.external.enabled }}{{ $names = append $names "kine" }}{{ end }}
{{- if and (include "vcluster.storeInPod" .) (not $store.database.embedded.enabled) }}{{ $names = append $names "etcd" }}{{ end }}
{{- $files := list }}
{{- range $names }}{{ $files = append $files (printf "/kubernetes/%s" .) }}{{ end }}
{{- concat (list "cp") $files (list "/binaries") | toJson }}
{{- end }}
{{- end }}

{{/* "true" when a scheduler of the virtual cluster places pods. */}}
{{- define "vcluster.virtualScheduler" -}}
{{- if or .Values.controlPlane.distro.k8s.scheduler.enabled .Values.controlPlane.advanced.virtualScheduler.enabled .Values.sync.toHost.pods.hybridScheduling.enabled }}true{{ end }}
{{- end }}

{{/* "true" for true, and for auto where a scheduler of the virtual cluster places pods. */}}
{{- define "vcluster.auto" -}}
{{- $wanted := toString .value }}
{{- if or (eq $wanted "true") (and (eq $wanted "auto") (include "vcluster.virtualScheduler" .root)) }}true{{ end }}
{{- end }}

{{/* "true" when StorageClasses of the host are shown: asked for, or auto with a scheduler in the virtual cluster. */}}
{{- define "vcluster.storageClasses" -}}
{{- $to := .Values.sync.toHost }}
{{- $scheduler := include "vcluster.virtualScheduler" . }}
{{- $wanted := toString .Values.sync.fromHost.storageClasses.enabled }}
{{- if or (eq $wanted "true") (and (eq $wanted "auto") $scheduler $to.persistentVolumeClaims.enabled (not $to.storageClasses.enabled)) }}true{{ end }}
{{- end }}

{{/* "true" when something needs rights in the whole cluster. */}}
{{- define "vcluster.needsClusterRole" -}}
{{- $from := .Values.sync.fromHost }}
{{- $role := .Values.rbac.clusterRole }}
{{- if or $role.extraRules $role.overwriteRules
  (include "vcluster.storageClasses" .) $from.ingressClasses.enabled $from.runtimeClasses.enabled $from.priorityClasses.enabled
  $from.nodes.enabled (include "vcluster.virtualScheduler" .)
  (eq (toString $from.csiDrivers.enabled) "true") (eq (toString $from.csiNodes.enabled) "true") (eq (toString $from.csiStorageCapacities.enabled) "true")
  (include "vcluster.mapped" (dict "kind" $from.configMaps "wide" true))
  (include "vcluster.mapped" (dict "kind" $from.secrets "wide" true))
  (include "vcluster.nodeMetrics" .)
  (include "vcluster.foreignServices" .)
}}true{{ end }}
{{- end }}

{{/* "true" when tenants see the metrics of nodes. */}}
{{- define "vcluster.nodeMetrics" -}}
{{- with .Values.integrations.metricsServer }}{{ if and .enabled .nodes }}true{{ end }}{{ end }}
{{- end }}

{{/*
The rights for objects of the host that "kind" (sync.fromHost.configMaps or secrets) names in mappings.byName, as a list
of resourceNames: "*" for all. "wide": of other namespaces, else of the own one.
*/}}
{{- define "vcluster.mapped" -}}
{{- $names := list }}
{{- if .kind.enabled }}
{{- range $host, $_ := .kind.mappings.byName }}
{{- $parts := splitn "/" 2 $host }}
{{- if eq $.wide (ne $parts._0 "") }}
{{- $names = append $names (or $parts._1 "*") }}
{{- end }}
{{- end }}
{{- end }}
{{- if $names }}{{ $names | uniq | sortAlpha | toJson }}{{ end }}
{{- end }}

{{- define "vcluster.mappedRules" -}}
{{- $wide := .wide }}
{{- range $plural, $kind := dict "configmaps" .from.configMaps "secrets" .from.secrets }}
{{- range $name := include "vcluster.mapped" (dict "kind" $kind "wide" $wide) | default "[]" | fromJsonArray }}
- apiGroups: [""]
  resources: [{{ $plural }}]
  {{- if ne $name "*" }}
  resourceNames: [{{ $name | quote }}]
  {{- end }}
  verbs: [get, list, watch]
{{- end }}
{{- end }}
{{- end }}

{{/* Services of other namespaces of the host that are shown, by name and as JSON; empty when there is none. */}}
{{- define "vcluster.foreignServices" -}}
{{- $names := list }}
{{- range .Values.networking.replicateServices.fromHost }}
{{- if contains "/" .from }}{{ $names = append $names (last (splitList "/" .from)) }}{{ end }}
{{- end }}
{{- if $names }}{{ $names | uniq | toJson }}{{ end }}
{{- end }}

{{/* The same for Services beside the control plane. */}}
{{- define "vcluster.ownServices" -}}
{{- $names := list }}
{{- range .Values.networking.replicateServices.fromHost }}
{{- if not (contains "/" .from) }}{{ $names = append $names .from }}{{ end }}
{{- end }}
{{- if $names }}{{ $names | uniq | toJson }}{{ end }}
{{- end }}
