// TradingTypesTests
