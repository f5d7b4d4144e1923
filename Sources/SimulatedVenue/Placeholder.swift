// SimulatedVenue
