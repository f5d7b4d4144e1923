// PositionSizingTests
