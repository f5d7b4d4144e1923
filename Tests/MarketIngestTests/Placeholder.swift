// MarketIngestTests
