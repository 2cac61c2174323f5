"""What happened to the lake: lineage of columns, fences, OpenLineage events, pictures, narrowing for trace."""
