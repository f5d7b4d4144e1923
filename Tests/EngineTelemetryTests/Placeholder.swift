// EngineTelemetryTests
