// RegimeDetectionTests
