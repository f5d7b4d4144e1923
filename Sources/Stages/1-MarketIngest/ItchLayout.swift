public import TradingTypes

/// Length of a message type and where the fields of the order messages stand.
///
/// The order messages (A F E C X D U) are decoded without a branch on their type: every field is loaded from the offset the
/// layout names and then masked. A field a type has not got is loaded from an offset inside the message and masked to 0.
///
/// - Source: NASDAQ TotalView-ITCH 5.0 specification, section 4 (field offsets and lengths).
@frozen @usableFromInline struct ItchLayout: BitwiseCopyable, Sendable {
  /// All ones where the message has a second 64-bit number: new reference or match number.
  @usableFromInline var secondMask: UInt64 = 0
  /// All ones where the message names its stock.
  @usableFromInline var stockMask: UInt64 = 0
  @usableFromInline var quantityMask: UInt32 = 0
  @usableFromInline var priceMask: UInt32 = 0
  /// All ones where the message has a side.
  @usableFromInline var sideMask: UInt32 = 0
  /// Bytes of the body; 0 for an unknown type.
  @usableFromInline var length: UInt8 = 0
  @usableFromInline var secondAt: UInt8 = 11
  @usableFromInline var stockAt: UInt8 = 11
  @usableFromInline var quantityAt: UInt8 = 11
  @usableFromInline var priceAt: UInt8 = 11
  /// Offset of the side or of the printable byte, else 0.
  @usableFromInline var letterAt: UInt8 = 0
  @usableFromInline var kind: MarketEventKind = .information
  /// One of the order messages.
  @usableFromInline var isOrder = false
  /// The `.hasSide` flag for a message with a side.
  @usableFromInline var sideFlag: UInt8 = 0
  /// The `.printable` flag for a message that may carry it.
  @usableFromInline var printableFlag: UInt8 = 0

  /// The layouts of all type bytes. A message with a stock field binds its stock locate.
  static func table() -> [ItchLayout] {
    var table = [ItchLayout](repeating: ItchLayout(), count: 256)
    func set(
      _ type: Unicode.Scalar, _ kind: MarketEventKind, length: UInt8, stock: UInt8? = nil, quantity: UInt8? = nil,
      price: UInt8? = nil, second: UInt8? = nil, side: UInt8? = nil, printable: UInt8? = nil, isOrder: Bool = false
    ) {
      var layout = ItchLayout()
      layout.kind = kind
      layout.length = length
      layout.stockMask = stock == nil ? 0 : .max
      layout.stockAt = stock ?? layout.stockAt
      layout.quantityMask = quantity == nil ? 0 : .max
      layout.quantityAt = quantity ?? layout.quantityAt
      layout.priceMask = price == nil ? 0 : .max
      layout.priceAt = price ?? layout.priceAt
      layout.secondMask = second == nil ? 0 : .max
      layout.secondAt = second ?? layout.secondAt
      layout.letterAt = side ?? printable ?? 0
      layout.sideMask = side == nil ? 0 : .max
      layout.sideFlag = side == nil ? 0 : MarketEventFlags.hasSide.rawValue
      layout.printableFlag = printable == nil ? 0 : MarketEventFlags.printable.rawValue
      layout.isOrder = isOrder
      table[Int(type.value)] = layout
    }
    set("A", .addOrder, length: 36, stock: 24, quantity: 20, price: 32, side: 19, isOrder: true)
    set("F", .addOrder, length: 40, stock: 24, quantity: 20, price: 32, side: 19, isOrder: true)
    set("E", .executeOrder, length: 31, quantity: 19, second: 23, isOrder: true)
    set("C", .executeOrderAtPrice, length: 36, quantity: 19, price: 32, second: 23, printable: 31, isOrder: true)
    set("X", .reduceOrder, length: 23, quantity: 19, isOrder: true)
    set("D", .deleteOrder, length: 19, isOrder: true)
    set("U", .replaceOrder, length: 35, quantity: 27, price: 31, second: 19, isOrder: true)
    set("P", .trade, length: 44, stock: 24)
    set("Q", .crossTrade, length: 40, stock: 19)
    set("B", .brokenTrade, length: 19)
    set("H", .tradingStatus, length: 25, stock: 11)
    set("S", .information, length: 12)  // system event
    set("R", .information, length: 39, stock: 11)  // stock directory
    set("Y", .information, length: 20, stock: 11)  // short sale price test
    set("L", .information, length: 26, stock: 15)  // market participant position
    set("V", .information, length: 35)  // circuit breaker levels
    set("W", .information, length: 12)  // circuit breaker status
    set("K", .information, length: 28, stock: 11)  // quoting period update
    set("J", .information, length: 35, stock: 11)  // auction collar
    set("h", .information, length: 21, stock: 11)  // operational halt
    set("I", .information, length: 50, stock: 28)  // net order imbalance
    set("N", .information, length: 20, stock: 11)  // retail interest
    set("O", .information, length: 48, stock: 11)  // direct listing price discovery
    return table
  }
}
