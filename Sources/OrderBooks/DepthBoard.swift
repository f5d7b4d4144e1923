public import LockFreeRings
public import TradingTypes

/// The depth of every book for other threads: a screen, a monitor, a second strategy. The thread that owns the books publishes a view when it
/// likes, mostly when an effect says `depthChanged`; readers copy the newest view whole and never stop it.
///
/// ```
/// if effect.depthChanged { board.publish(books[depth: id], of: id) }
/// …
/// let (view, version) = reader.read(id)
/// ```
///
/// - Complexity: a publication is a copy of 384 bytes; no allocation. Memory: 1.7 KB a book.
public struct DepthBoard: ~Copyable {
  private var board: SnapshotBoard<DepthView>

  /// A board of `instruments` empty views in memory from `arena`.
  ///
  /// - Throws: `ArenaError` when the arena is full.
  public init(instruments: Int, in arena: Arena) throws(ArenaError) {
    board = try SnapshotBoard(repeating: DepthView(), count: instruments, in: arena)
  }

  /// Replaces the view of `id`.
  ///
  /// - Precondition: `id` is on the board.
  public mutating func publish(_ view: DepthView, of id: InstrumentID) { board.publish(view, at: Int(id.index)) }

  /// A reader of every view, for one thread at a time.
  ///
  /// - Throws: `ArenaError` when the arena is full.
  public func reader() throws(ArenaError) -> Reader { Reader(reader: try board.reader()) }

  /// What another thread reads the views through.
  public struct Reader: ~Copyable, Sendable {
    private var reader: SnapshotBoardReader<DepthView>

    init(reader: consuming SnapshotBoardReader<DepthView>) { self.reader = reader }

    /// How often the view of `id` was replaced.
    ///
    /// - Precondition: `id` is on the board.
    public func version(of id: InstrumentID) -> UInt64 { reader.version(at: Int(id.index)) }

    /// The newest view of `id`, whole, and its version.
    ///
    /// - Precondition: `id` is on the board.
    public mutating func read(_ id: InstrumentID) -> (view: DepthView, version: UInt64) {
      let found = reader.read(at: Int(id.index))
      return (found.value, found.version)
    }
  }
}
