package inventory

import (
	"strings"

	"dogwatch/internal/registry"
)

// splitPath divides a repository's path into namespace and image name, as the
// registry's type has it. ECR and Azure know no namespaces. Harbor's client
// knows the project; elsewhere the namespace is the first component, and a path
// of one component has none.
func splitPath(kind string, r registry.Repository) (namespace, name string) {
	switch kind {
	case registry.TypeAWS, registry.TypeAzure:
		return "", r.Path
	case registry.TypeHarbor:
		if r.Namespace != "" && r.Name != "" {
			return r.Namespace, r.Name
		}
	}
	if first, rest, found := strings.Cut(r.Path, "/"); found {
		return first, rest
	}
	return "", r.Path
}
