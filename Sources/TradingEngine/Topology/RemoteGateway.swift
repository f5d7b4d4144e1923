public import LockFreeRings
public import TradingTypes

/// A venue gateway that knows when its earliest report is due, so that a thread away from it need not ask for every event.
public protocol TimedVenueGateway: VenueGateway, ~Copyable {
  /// Event time of the earliest report, or `nil` when none is under way.
  var nextReportTime: Timestamp? { get }
}

/// What the deciding thread asks of the thread that owns the gateway. The depth for `receive` lies in a ring beside it.
@frozen public struct GatewayRequest: BitwiseCopyable, Sendable {
  /// What is asked.
  @frozen public enum Kind: UInt8, BitwiseCopyable, Sendable {
    /// Take `order`.
    case send = 1
    /// Give the earliest report due.
    case receive = 2
    /// Say what is pending.
    case poll = 3
    /// End.
    case stop = 4
  }
  @usableFromInline var order: ChildOrder
  @usableFromInline var time: Timestamp
  @usableFromInline var kind: Kind

  @inlinable init(_ kind: Kind, order: ChildOrder, time: Timestamp) {
    self.order = order
    self.time = time
    self.kind = kind
  }
}

/// What the gateway's thread answers: the answer itself, and the earliest report that is pending then.
@frozen public struct GatewayReply: BitwiseCopyable, Sendable {
  @usableFromInline var report: ExecutionReport
  @usableFromInline var nextTime = Timestamp.distantFuture
  @usableFromInline var nextInstrument = InstrumentID.none
  // The session's last sign of life before the time of the request.
  @usableFromInline var silence = TimeSpan.zero
  @usableFromInline var isTaken = false
  @usableFromInline var hasReport = false

  @inlinable init(_ filler: ExecutionReport) { report = filler }
}

/// A gateway on another thread, as the deciding thread sees it: the same answers at the same points as if it were here.
///
/// `send` and `receive` ask and wait for the answer: whether a venue took an order decides what happens next. Each answer also says
/// when the earliest report is due, so that `nextReport` needs no question: without orders under way nothing crosses.
///
/// A gateway whose venue speaks unasked is asked by `poll`, between events. When the other thread does not answer within the patience
/// of the topology, the gateway is lost: it takes no order and has no report, its sign of life grows old, and the run ends with an error.
@frozen public struct RemoteGateway: VenueGateway, ~Copyable {
  @usableFromInline var requests: LatencyRing<GatewayRequest>.Producer
  @usableFromInline var markets: LatencyRing<DepthView>.Producer
  @usableFromInline var replies: LatencyRing<GatewayReply>.Consumer
  @usableFromInline let wait: TopologyWait
  @usableFromInline let noOrder: ChildOrder
  @usableFromInline var nextTime = Timestamp.distantFuture
  @usableFromInline var nextInstrument = InstrumentID.none
  @usableFromInline var silence = TimeSpan.zero
  @usableFromInline var lastAnswered = Timestamp.distantPast
  /// The other thread did not answer in time.
  public private(set) var isLost = false
  // Borrowed without a copy.
  @usableFromInline let place = InPlace()

  init(
    requests: consuming LatencyRing<GatewayRequest>.Producer, markets: consuming LatencyRing<DepthView>.Producer,
    replies: consuming LatencyRing<GatewayReply>.Consumer, wait: TopologyWait
  ) {
    self.requests = requests
    self.markets = markets
    self.replies = replies
    self.wait = wait
    noOrder = .nothing
  }

  /// Asks and waits for the answer.
  @usableFromInline mutating func ask(_ request: GatewayRequest) -> GatewayReply? {
    guard !isLost, requests.tryPush(request) else { return nil }
    guard let reply = replies.pop(waiting: wait.strategy, until: wait.patience) else {
      isLost = true
      wait.reportStall(of: "execute")
      return nil
    }
    nextTime = reply.nextTime
    nextInstrument = reply.nextInstrument
    silence = reply.silence
    lastAnswered = request.time
    return reply
  }

  /// Takes a child order; false when the gateway cannot, or is lost.
  public mutating func send(_ order: ChildOrder, at time: Timestamp) -> Bool {
    ask(GatewayRequest(.send, order: order, time: time))?.isTaken ?? false
  }

  /// When the session last gave a sign of life, as far before `time` as it was at the latest answer; a lost gateway gives none.
  @inlinable public func heartbeat(asOf time: Timestamp) -> Timestamp {
    isLost ? lastAnswered : time + TimeSpan(nanoseconds: 0 - silence.nanoseconds)
  }

  /// The instrument of the earliest report due at or before `time`, or `nil` when none is; answered from the latest reply.
  @inlinable public func nextReport(by time: Timestamp) -> InstrumentID? {
    nextTime <= time && !isLost ? nextInstrument : nil
  }

  /// The earliest report due at or before `time`.
  public mutating func receive(by time: Timestamp, market: borrowing DepthView) -> ExecutionReport? {
    guard !isLost, markets.tryPush(copy market) else { return nil }
    guard let reply = ask(GatewayRequest(.receive, order: noOrder, time: time)), reply.hasReport else { return nil }
    return reply.report
  }

  /// Asks what is pending: for gateways whose venues speak unasked.
  public mutating func poll(at time: Timestamp) { _ = ask(GatewayRequest(.poll, order: noOrder, time: time)) }

  /// Lets the other thread end.
  public mutating func stop() { _ = requests.tryPush(GatewayRequest(.stop, order: noOrder, time: .distantPast)) }
}

/// The thread that owns a gateway: answers the requests of one `RemoteGateway`.
public struct GatewayServer<Gateway: TimedVenueGateway & ~Copyable>: ~Copyable {
  private var gateway: Gateway
  private var requests: LatencyRing<GatewayRequest>.Consumer
  private var markets: LatencyRing<DepthView>.Consumer
  private var replies: LatencyRing<GatewayReply>.Producer
  private let wait: TopologyWait

  /// A server of `ends`.
  public init(_ ends: consuming GatewayEnds, gateway: consuming Gateway, wait: TopologyWait) {
    self.gateway = gateway
    requests = ends.requests
    markets = ends.markets
    replies = ends.replies
    self.wait = wait
  }

  /// Answers until it is told to stop, or the topology stops.
  ///
  /// - Complexity: no allocation a request.
  public mutating func run() {
    while true {
      guard let request = requests.pop(waiting: wait.strategy, until: wait.slice) else {
        if wait.isOver { return }
        continue
      }
      if request.kind == .stop { return }
      var reply = GatewayReply(.nothing)
      switch request.kind {
      case .send: reply.isTaken = gateway.send(request.order, at: request.time)
      case .receive:
        // Pushed before its request.
        if let market = markets.tryPop(), let report = gateway.receive(by: request.time, market: market) {
          reply.report = report
          reply.hasReport = true
        }
      case .poll, .stop: break
      }
      if let time = gateway.nextReportTime, let instrument = gateway.nextReport(by: time) {
        reply.nextTime = time
        reply.nextInstrument = instrument
      }
      reply.silence = request.time - gateway.heartbeat(asOf: request.time)
      // Never full: one answer a question, and the asker waits for it.
      _ = replies.tryPush(reply)
    }
  }
}

/// The gateway thread's ends of the rings to a `RemoteGateway`.
public struct GatewayEnds: ~Copyable, Sendable {
  var requests: LatencyRing<GatewayRequest>.Consumer
  var markets: LatencyRing<DepthView>.Consumer
  var replies: LatencyRing<GatewayReply>.Producer
}

/// The rings between a deciding thread and the thread that owns its gateway.
public struct GatewayLink: ~Copyable {
  private var requests: LatencyRing<GatewayRequest>
  private var markets: LatencyRing<DepthView>
  private var replies: LatencyRing<GatewayReply>

  /// Three rings of a few slots: one question is under way at a time.
  public init(in arena: Arena) throws(RingError) {
    let requests = try LatencyRing<GatewayRequest>(capacity: 8, in: arena)
    let markets = try LatencyRing<DepthView>(capacity: 8, in: arena)
    let replies = try LatencyRing<GatewayReply>(capacity: 8, in: arena)
    self.requests = requests
    self.markets = markets
    self.replies = replies
  }

  /// The deciding thread's side.
  ///
  /// - Precondition: taken once.
  public mutating func takeGateway(waiting wait: TopologyWait) -> RemoteGateway {
    RemoteGateway(
      requests: requests.takeProducer(), markets: markets.takeProducer(), replies: replies.takeConsumer(), wait: wait)
  }

  /// The gateway thread's side.
  ///
  /// - Precondition: taken once.
  public mutating func takeEnds() -> GatewayEnds {
    GatewayEnds(
      requests: requests.takeConsumer(), markets: markets.takeConsumer(), replies: replies.takeProducer())
  }
}

extension ChildOrder {
  /// An order that means nothing.
  static var nothing: ChildOrder {
    ChildOrder(
      part: OrderIntent(
        clientOrderID: .none, causeSequence: 0, time: .distantPast, instrument: .none, side: .buy, price: .zero,
        quantity: .zero), clientOrderID: .none, venue: VenueID(index: 0), price: .zero, quantity: .zero, isSweep: false)
  }
}

extension ExecutionReport {
  /// A report that means nothing.
  static var nothing: ExecutionReport { ExecutionReport(.accepted, of: .nothing, time: .distantPast, leaves: .zero) }
}
