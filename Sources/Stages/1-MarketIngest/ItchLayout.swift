public import TradingTypes

/// What every message of a type has in common: its length, its kind and where its stock stands.
///
/// - Source: NASDAQ TotalView-ITCH 5.0 specification, section 4 (field offsets and lengths).
@frozen @usableFromInline struct ItchShape: BitwiseCopyable, Sendable {
  /// Bytes of the body; 0 for an unknown type.
  var length: UInt8 = 0
  /// Offset of the stock field, or 0 where there is none.
  var stock: UInt8 = 0
  var kind: MarketEventKind = .information

  /// The shapes of all type bytes.
  static func table() -> [ItchShape] {
    var table = [ItchShape](repeating: ItchShape(), count: 256)
    func set(_ type: Unicode.Scalar, _ kind: MarketEventKind, length: UInt8, stock: UInt8 = 0) {
      table[Int(type.value)] = ItchShape(length: length, stock: stock, kind: kind)
    }
    set("A", .addOrder, length: 36, stock: 24)
    set("F", .addOrder, length: 40, stock: 24)
    set("E", .executeOrder, length: 31)
    set("C", .executeOrderAtPrice, length: 36)
    set("X", .reduceOrder, length: 23)
    set("D", .deleteOrder, length: 19)
    set("U", .replaceOrder, length: 35)
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

/// How the fields of one order message (A F E C X D U) are found and masked: 32 bytes, half a cache line.
///
/// These messages are decoded without a branch on their type, which no branch predictor could foresee: every field is loaded
/// from the place the layout names and then masked. A field that a type has not got is loaded from a place inside the message
/// all the same, and masked to 0.
@frozen @usableFromInline struct ItchLayout: BitwiseCopyable, Sendable {
  /// All ones where the message has a second 64-bit number: new reference or match number.
  @usableFromInline var secondMask: UInt64 = 0
  /// All ones where the message has a side and names its stock: the adds.
  @usableFromInline var addMask: UInt64 = 0
  @usableFromInline var quantityMask: UInt32 = 0
  @usableFromInline var priceMask: UInt32 = 0
  @usableFromInline var places = FieldPlaces()
  @usableFromInline var kind: MarketEventKind = .information
  /// The `.printable` flag for the message that may carry it.
  @usableFromInline var printableFlag: UInt8 = 0

  /// The layouts of all type bytes; the places of a type that is no order message are those of no body.
  static func table() -> [ItchLayout] {
    let shapes = ItchShape.table()
    var table = [ItchLayout](repeating: ItchLayout(), count: 256)
    func set(
      _ type: Unicode.Scalar, quantity: UInt8? = nil, price: UInt8? = nil, second: UInt8? = nil, side: UInt8? = nil,
      printable: UInt8? = nil
    ) {
      let shape = shapes[Int(type.value)]
      // The reference, which every order message has, stands in for what a message has not got.
      let reference: UInt8 = 11
      table[Int(type.value)] = ItchLayout(
        secondMask: second == nil ? 0 : .max, addMask: side == nil ? 0 : .max, quantityMask: quantity == nil ? 0 : .max,
        priceMask: price == nil ? 0 : .max,
        places: FieldPlaces(
          length: shape.length, letter: side ?? printable ?? 0, second: second ?? reference,
          stock: shape.stock == 0 ? reference : shape.stock, quantity: quantity ?? reference,
          price: price ?? reference), kind: shape.kind,
        printableFlag: printable == nil ? 0 : MarketEventFlags.printable.rawValue)
    }
    set("A", quantity: 20, price: 32, side: 19)
    set("F", quantity: 20, price: 32, side: 19)
    set("E", quantity: 19, second: 23)
    set("C", quantity: 19, price: 32, second: 23, printable: 31)
    set("X", quantity: 19)
    set("D")
    set("U", quantity: 27, price: 31, second: 19)
    return table
  }
}
