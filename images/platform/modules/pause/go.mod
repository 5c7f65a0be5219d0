module scale/pause

go 1.24.0
