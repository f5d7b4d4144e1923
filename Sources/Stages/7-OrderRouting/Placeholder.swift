// Stages/7-OrderRouting
