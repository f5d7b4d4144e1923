// SimulatedVenueTests
