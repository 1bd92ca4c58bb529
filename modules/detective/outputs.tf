output "graph_arn" {
  description = "ARN of the region's behaviour graph."
  value       = aws_detective_graph.this.graph_arn
}
