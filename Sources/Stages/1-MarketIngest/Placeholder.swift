// Stages/1-MarketIngest
