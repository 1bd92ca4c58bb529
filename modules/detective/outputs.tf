output "graph_arn" {
  description = "ARN of the region's behavior graph."
  value       = aws_detective_graph.this.graph_arn
}
