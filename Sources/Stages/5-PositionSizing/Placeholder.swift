// Stages/5-PositionSizing
