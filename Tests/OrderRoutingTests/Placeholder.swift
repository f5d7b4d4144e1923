// OrderRoutingTests
