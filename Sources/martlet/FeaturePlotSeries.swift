import SignalFeatures
import TradingTypes

/// A slot's value in one row of a plot.
struct PlotValue: Equatable {
  /// The states of a slot; only valid values are drawn.
  enum State: Equatable {
    case valid
    case warming
    case stale
  }

  var value: Double
  var state: State

  init(_ value: Double, _ state: State) {
    self.value = value
    self.state = state
  }

  /// A slot of a vector.
  init(_ vector: borrowing FeatureVector, _ slot: FeatureSlot) {
    self.init(vector[slot], vector.valid[slot] ? .valid : vector.stale[slot] ? .stale : .warming)
  }

  /// A slot of a further timeframe.
  init(_ block: borrowing BarBlock, _ slot: FeatureSlot) {
    self.init(block[slot], block.valid[slot] ? .valid : block.stale[slot] ? .stale : .warming)
  }
}

/// What is kept of the rows between two times: enough to draw them in one column of pixels.
struct PlotCell: Equatable {
  /// Of the valid rows; of no meaning while there are none.
  var first = 0.0
  var low = 0.0
  var high = 0.0
  var last = 0.0
  var sum = 0.0
  /// Valid rows.
  var count = 0
  /// State of the newest row; nil of no rows.
  var state: PlotValue.State?

  /// Of no rows.
  init() {}

  /// Of one row.
  init(_ row: PlotValue) {
    state = row.state
    guard row.state == .valid, row.value.isFinite else { return }
    (first, low, high, last) = (row.value, row.value, row.value, row.value)
    (sum, count) = (row.value, 1)
  }

  /// One of the rows was valid.
  var hasValue: Bool { count > 0 }

  /// Of the valid rows; the last of them where their sum is beyond the range of numbers.
  var mean: Double { sum.isFinite ? sum / Double(max(1, count)) : last }

  /// Adds the rows of `later`, all of them newer.
  mutating func append(_ later: PlotCell) {
    guard let newest = later.state else { return }
    state = newest
    guard later.hasValue else { return }
    first = hasValue ? first : later.first
    low = hasValue ? min(low, later.low) : later.low
    high = hasValue ? max(high, later.high) : later.high
    last = later.last
    sum += later.sum
    count += later.count
  }
}

/// Rows over time, decimated while they come: any number of them in the memory of some thousand.
///
/// Time is cut into equal parts of a power of two of nanoseconds, at first one. When the parts no longer reach to a row, neighbours are
/// joined and the parts are twice as long, so that at least half of them are always in use between the first row and the newest.
struct PlotSeries {
  /// Parts of the time; four or more for a column of pixels, so that a part's place is its rows' place.
  static let partCountMax = 8_192

  /// Series side by side.
  let seriesCount: Int
  /// Rows so far.
  private(set) var rowCount = 0
  /// Times of the first and of the newest row.
  private(set) var start = Timestamp(nanoseconds: 0)
  private(set) var end = Timestamp(nanoseconds: 0)
  /// All rows of each series.
  private(set) var totals: [PlotCell]
  /// log₂ of the nanoseconds of a part.
  private(set) var shift = 0
  /// Part by part, in each the series side by side.
  private var cells: [PlotCell]
  /// Time of each part's first row.
  private var times: [Timestamp]
  private var usedCount = 0

  init(seriesCount: Int) {
    self.seriesCount = seriesCount
    totals = Array(repeating: PlotCell(), count: seriesCount)
    cells = Array(repeating: PlotCell(), count: seriesCount * Self.partCountMax)
    times = Array(repeating: .distantFuture, count: Self.partCountMax)
  }

  /// Adds a row; a time before the newest row's counts as that.
  ///
  /// - Complexity: O(series), amortised.
  mutating func add(at time: Timestamp, _ value: (_ series: Int) -> PlotValue) {
    if rowCount == 0 { (start, end) = (time, time) }
    end = max(end, time)
    rowCount += 1
    let part = place(of: end)
    usedCount = max(usedCount, part + 1)
    times[part] = min(times[part], end)
    for series in 0..<seriesCount {
      let cell = PlotCell(value(series))
      totals[series].append(cell)
      cells[part * seriesCount + series].append(cell)
    }
  }

  /// The parts that have rows, in order: the time of the first row in each and what is kept of a series.
  func parts(of series: Int) -> [(time: Timestamp, cell: PlotCell)] {
    (0..<usedCount).compactMap { part in
      let cell = cells[part * seriesCount + series]
      return cell.state == nil ? nil : (times[part], cell)
    }
  }

  /// The part of a time, after joining neighbours until there is one.
  private mutating func place(of time: Timestamp) -> Int {
    let passed = UInt64((time - start).nanoseconds)
    while passed >> UInt64(shift) >= UInt64(Self.partCountMax) { joinNeighbours() }
    return Int(passed >> UInt64(shift))
  }

  private mutating func joinNeighbours() {
    shift += 1
    for part in 0..<Self.partCountMax {
      let isKept = part < Self.partCountMax / 2
      times[part] = isKept ? min(times[2 * part], times[2 * part + 1]) : .distantFuture
      for series in 0..<seriesCount {
        var cell = PlotCell()
        if isKept {
          cell = cells[2 * part * seriesCount + series]
          cell.append(cells[(2 * part + 1) * seriesCount + series])
        }
        cells[part * seriesCount + series] = cell
      }
    }
    usedCount = (usedCount + 1) / 2
  }
}
