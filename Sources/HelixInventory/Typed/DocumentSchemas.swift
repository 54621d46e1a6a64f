/// The JSON Schemas of the typed documents, for editors and for `helix-infra schema`.
package enum DocumentSchemas {
  /// The files that have a schema.
  package static let files = ["cluster.yaml", "linode.yaml", "aws.yaml"]

  /// The schema of a file by its name; nil for a file that has none.
  package static func schema(of file: String) -> String? {
    switch file {
    case "cluster.yaml": ClusterDocument.shape.schema(title: "A k3s cluster")
    case "linode.yaml": LinodeDocument.shape.schema(title: "Linode autoscale pools")
    case "aws.yaml": AWSDocument.shape.schema(title: "AWS failover targets")
    default: nil
    }
  }
}
