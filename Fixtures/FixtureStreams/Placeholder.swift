// FixtureStreams
