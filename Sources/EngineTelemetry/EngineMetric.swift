/// What an engine counts on its pipeline thread.
public enum EngineMetric: Int, MetricSlot {
  /// Messages taken in.
  case messages = 0
  /// Messages that started a decision.
  case triggers = 1
  /// Decisions that ended without a usable forecast.
  case endedNoSignal = 2
  /// Decisions that ended below the least confidence.
  case endedBelowConfidence = 3
  /// Decisions that ended without a size.
  case endedNoSize = 4
  /// Decisions that a pre-trade check refused.
  case endedRejected = 5
  /// Decisions that no venue could take.
  case endedNoRoute = 6
  /// Decisions that sent orders.
  case endedRouted = 7
  /// Child orders sent.
  case orders = 8
  /// Fills received.
  case fills = 9
  /// Messages a book did not apply: unknown, duplicate, invalid.
  case skippedMessages = 10
  /// Publications that a full ring refused.
  case ringRefusals = 11
  /// Orders that rest in the books.
  case restingOrders = 12
  /// Orders that work at venues.
  case openOrders = 13
  /// The version of the policy in force.
  case policyVersion = 14
  /// The kill level: 0 active, 1 reducing, 2 halted.
  case killLevel = 15

  /// The counter or gauge's name.
  public var name: String {
    switch self {
    case .messages: "martlet_messages_total"
    case .triggers: "martlet_triggers_total"
    case .endedNoSignal: "martlet_decisions_no_signal_total"
    case .endedBelowConfidence: "martlet_decisions_below_confidence_total"
    case .endedNoSize: "martlet_decisions_no_size_total"
    case .endedRejected: "martlet_decisions_rejected_total"
    case .endedNoRoute: "martlet_decisions_no_route_total"
    case .endedRouted: "martlet_decisions_routed_total"
    case .orders: "martlet_orders_total"
    case .fills: "martlet_fills_total"
    case .skippedMessages: "martlet_skipped_messages_total"
    case .ringRefusals: "martlet_ring_refusals_total"
    case .restingOrders: "martlet_resting_orders"
    case .openOrders: "martlet_open_orders"
    case .policyVersion: "martlet_policy_version"
    case .killLevel: "martlet_kill_level"
    }
  }

  /// One line for a person.
  public var help: String {
    switch self {
    case .messages: "Messages taken in."
    case .triggers: "Messages that started a decision."
    case .endedNoSignal: "Decisions that ended without a usable forecast."
    case .endedBelowConfidence: "Decisions that ended below the least confidence."
    case .endedNoSize: "Decisions that ended without a size."
    case .endedRejected: "Decisions that a pre-trade check refused."
    case .endedNoRoute: "Decisions that no venue could take."
    case .endedRouted: "Decisions that sent orders."
    case .orders: "Child orders sent."
    case .fills: "Fills received."
    case .skippedMessages: "Messages a book did not apply."
    case .ringRefusals: "Publications that a full ring refused."
    case .restingOrders: "Orders that rest in the books."
    case .openOrders: "Orders that work at venues."
    case .policyVersion: "Version of the policy in force."
    case .killLevel: "Kill level: 0 active, 1 reducing, 2 halted."
    }
  }

  /// Gauges from `restingOrders` on.
  public var kind: MetricKind { rawValue < EngineMetric.restingOrders.rawValue ? .counter : .gauge }
}
