internal import CKernels
internal import LockFreeRings

/// Rows that close: what a state does with them, at once and in slices.
extension NetworkKernel {
  /// Forgets every row: as a new state.
  ///
  /// - Complexity: O(network × window), no allocation.
  public func reset(_ state: inout NetworkState) {
    check(state)
    let room = room(state.mode)
    // In bounds: the memory has `byteCount` bytes.
    unsafe state.memory.initializeMemory(as: UInt8.self, repeating: 0, count: state.byteCount)
    for number in 0..<stepCount {
      // In bounds: as many steps and memories as operators.
      unsafe forgetAll(steps + number, memory: state.memory, room.memories + number, room: room)
    }
    if room.following == .recomputed {
      let frame = unsafe frame(of: room, in: state.memory)
      // In bounds: the frame has a window of rows.
      for row in 0..<window { unsafe loadInput(missing, into: frame, row: row) }
      state.header = NetworkState.Header(count: Int32(window - 1))
    } else if room.following == .staggered {
      unsafe stagger(state.memory, room: room)
      state.header.pending = Int32(room.itemCount)
    } else if room.following == .appended, state.mode == .windowed {
      for _ in 1..<window {
        finish(state, room)
        unsafe close(missing, state.memory, room: room)
      }
      finish(state, room)
      state.header.closed = 0
    }
  }

  /// Takes in a row that has closed: the next prediction is that of the row after it.
  ///
  /// Finishes what is left of the last row's deferred work first; then does only what the next prediction of a staggered
  /// state reads, and leaves the rest to `advance`.
  ///
  /// - Precondition: the row has the network's features, and the state is of an equal network.
  /// - Complexity: O(network), no allocation.
  public func close(_ row: borrowing KernelRow, _ state: inout NetworkState) {
    check(row, state)
    let room = room(state.mode)
    finish(state, room)
    // The state has the layout's bytes: checked.
    unsafe close(row.values, state.memory, room: room)
  }

  /// The prediction for a row that closes with it: the bits of `predict` and then `close`, but a network whose state runs on
  /// goes over the row once instead of twice. `output` gives the other outputs.
  ///
  /// - Precondition: the row has the network's features, and the state is of an equal network.
  /// - Complexity: O(network) for one row, no allocation.
  public func predictClosing(_ row: borrowing KernelRow, _ state: inout NetworkState) -> Float {
    check(row, state)
    let room = room(state.mode)
    guard room.following == .appended, state.mode == .stateful else {
      let answer = predict(row, &state)
      close(row, &state)
      return answer
    }
    finish(state, room)
    // The state has the layout's bytes: checked.
    unsafe close(row.values, state.memory, room: room)
    // Closing ran the row as a prediction does, and nothing was written over its outputs.
    return unsafe tick.values(outputPlace)[0]
  }

  /// Does one slice of the deferred work; false where nothing is left.
  ///
  /// - Complexity: about a microsecond in the reference ensemble, no allocation.
  public func advance(_ state: inout NetworkState) -> Bool {
    check(state)
    return step(state, room(state.mode))
  }

  private func step(_ state: borrowing NetworkState, _ room: NetworkKernelRoom) -> Bool {
    let pending = Int(state.header.pending)
    guard pending < room.itemCount else { return false }
    // In bounds: checked.
    unsafe run(room.items[pending], memory: state.memory, room: room, lists: prefixRows)
    state.header.pending = Int32(pending + 1)
    return pending + 1 < room.itemCount
  }

  func finish(_ state: borrowing NetworkState, _ room: NetworkKernelRoom) {
    while step(state, room) {}
  }

  // In every call below: places lie in the frame, memories in the state, tables are as long as their counts say.
  @unsafe private func close(
    _ row: UnsafePointer<Float>, _ memory: UnsafeMutableRawPointer, room: NetworkKernelRoom
  ) {
    var header = unsafe memory.load(as: NetworkState.Header.self)
    switch room.following {
    case .nothing: break
    case .recomputed:
      let frame = unsafe frame(of: room, in: memory)
      // Rows 1 ..< window − 1 move to the front.
      if inputHasValues {
        unsafe frame.values(inputPlace).update(
          from: frame.values(inputPlace, row: 1), count: (window - 1) * inputPlace.stride)
      }
      if inputHasCodes {
        unsafe frame.codes(inputPlace).update(
          from: frame.codes(inputPlace, row: 1), count: (window - 1) * inputPlace.codeStride)
      }
      if window > 1 { unsafe loadInput(row, into: frame, row: window - 2) }
    case .appended:
      let position = min(Int(header.closed), window - 1)
      _ = unsafe runTick(row, memory: memory, room: room, position: position)
      for number in 0..<stepCount {
        let step = unsafe UnsafePointer(steps + number)
        guard unsafe step.pointee.remembers else { continue }
        unsafe commit(step, memory: memory, room.memories + number, header: header)
      }
      header.head += 1
      header.count += 1
      if header.count > window - 1 {
        header.count -= 1
        header.first += 1
      }
      if header.first + header.count >= 2 * window {
        for number in 0..<stepCount { unsafe moveToFront(number, memory: memory, room: room, header: header) }
        header.first = 0
      }
    case .staggered:
      unsafe runShared(row, memory: memory, room: room)
      // The longest history has left the window; it begins anew with this row.
      let youngest = Int(header.oldest)
      for number in 0..<stepCount {
        let step = unsafe UnsafePointer(steps + number)
        let isCell = unsafe step.pointee.remembers && step.pointee.units > 0
        if isCell { unsafe forget(step, memory: memory, room.memories + number, history: youngest) }
      }
      header.oldest = Int32((youngest + 1) % room.histories)
      unsafe memory.storeBytes(of: header, as: NetworkState.Header.self)
      // With a single history it is the one that begins anew: nothing was known ahead.
      unsafe advanceOldest(memory: memory, room: room, oldest: Int(header.oldest), isAhead: room.histories > 1)
    }
    header.pending = 0
    header.closed = header.closed < .max ? header.closed + 1 : .max
    unsafe memory.storeBytes(of: header, as: NetworkState.Header.self)
  }

  /// Keeps what the last tick computed.
  @unsafe private func commit(
    _ step: UnsafePointer<NetworkKernelStep>, memory base: UnsafeMutableRawPointer,
    _ memory: UnsafePointer<NetworkKernelMemory>, header: NetworkState.Header
  ) {
    switch unsafe step.pointee.kind {
    case .convolution:
      let place = unsafe Int(header.head % Int64(memory.pointee.ringRows))
      let ring = unsafe (base + memory.pointee.ring).assumingMemoryBound(to: UInt8.self)
      unsafe keep(tick.codes(step.pointee.source), of: step, in: ring + place * memory.pointee.ringStride)
    case .lstm, .gru, .gruAfterReset:
      let cells = unsafe (base + memory.pointee.cells).assumingMemoryBound(to: Float.self)
      unsafe cells.update(from: nextCells + step.pointee.next, count: memory.pointee.cellStride)
      let hidden = unsafe (base + memory.pointee.hidden).assumingMemoryBound(to: UInt8.self)
      unsafe hidden.update(from: tick.codes(step.pointee.result), count: memory.pointee.hiddenStride)
    // Keys and values are in their place already.
    default: break
    }
  }

  /// A row of codes in a ring: high bytes, then low ones where codes are wide.
  @unsafe private func keep(
    _ codes: UnsafePointer<UInt8>, of step: UnsafePointer<NetworkKernelStep>, in row: UnsafeMutablePointer<UInt8>
  ) {
    let bytes = unsafe Int(step.pointee.product!.pointee.inputs)
    let low = unsafe step.pointee.source.low
    unsafe row.update(from: codes, count: bytes)
    if low > 0 { unsafe (row + bytes).update(from: codes + low, count: bytes) }
  }

  @unsafe private func moveToFront(
    _ number: Int, memory base: UnsafeMutableRawPointer, room: NetworkKernelRoom, header: NetworkState.Header
  ) {
    let memory = unsafe room.memories + number
    let isAttention = unsafe steps[number].kind == .attention && steps[number].remembers
    guard isAttention else { return }
    let stride = unsafe memory.pointee.keyStride
    let from = Int(header.first) * stride
    let keys = unsafe (base + memory.pointee.keys).assumingMemoryBound(to: Float.self)
    unsafe keys.update(from: keys + from, count: Int(header.count) * stride)
    let values = unsafe (base + memory.pointee.values).assumingMemoryBound(to: Float.self)
    unsafe values.update(from: values + from, count: Int(header.count) * stride)
  }

  @unsafe private func forgetAll(
    _ step: UnsafePointer<NetworkKernelStep>, memory base: UnsafeMutableRawPointer,
    _ memory: UnsafePointer<NetworkKernelMemory>, room: NetworkKernelRoom
  ) {
    guard unsafe step.pointee.remembers else { return }
    if unsafe step.pointee.units > 0 {
      for history in 0..<room.histories { unsafe forget(step, memory: base, memory, history: history) }
    } else if unsafe step.pointee.kind == .convolution {
      let ring = unsafe (base + memory.pointee.ring).assumingMemoryBound(to: UInt8.self)
      for row in 0..<(unsafe memory.pointee.ringRows) {
        unsafe keep(step.pointee.padding!, of: step, in: ring + row * memory.pointee.ringStride)
      }
    }
  }

  // MARK: - Staggered histories

  /// What all histories read of a row: the steps before the first recurrent one, and the products of their results.
  @unsafe private func runShared(
    _ row: UnsafePointer<Float>, memory: UnsafeMutableRawPointer, room: NetworkKernelRoom
  ) {
    let frame = unsafe NetworkKernelFrame(base: memory + room.shared, rows: 1)
    let one = unsafe martlet_net_rows(list: nil, count: 1)
    unsafe loadInput(row, into: frame, row: 0)
    for number in 0..<stepCount {
      let step = unsafe UnsafePointer(steps + number)
      switch unsafe step.pointee.role {
      case .shared:
        unsafe runRows(step, one, frame: frame, position: 0)
        if unsafe !step.pointee.writesCodes { unsafe encode(step, one, frame: frame) }
      case .recurrentOfShared:
        let shared = unsafe (memory + room.memories[number].shared).assumingMemoryBound(to: Int32.self)
        unsafe martlet_net_sums(
          choice, step.pointee.product!, one, frame.codes(step.pointee.source), 0, nil, shared, 0)
      case .other: break
      }
    }
  }

  /// - Parameter isAhead: whether what its hidden states add to the gates is known.
  @unsafe private func advanceOldest(
    memory: UnsafeMutableRawPointer, room: NetworkKernelRoom, oldest: Int, isAhead: Bool
  ) {
    for number in 0..<room.advanceCount {
      var item = unsafe room.advance[number]
      item.first = Int32(oldest)
      item.count = 1
      if isAhead, item.part == .products { continue }
      unsafe advance(item, memory: memory, room: room, except: -1, isAhead: isAhead)
    }
    for number in 0..<stepCount {
      let step = unsafe UnsafePointer(steps + number)
      guard unsafe step.pointee.remembers else { continue }
      let item = NetworkKernelItem(part: .before, step: Int32(number), first: 0, count: 0)
      unsafe run(item, memory: memory, room: room, lists: prefixRows)
    }
  }

  /// The histories after every count of rows without values up to the window.
  @unsafe private func stagger(_ memory: UnsafeMutableRawPointer, room: NetworkKernelRoom) {
    unsafe runShared(missing, memory: memory, room: room)
    for history in (0..<room.histories).reversed() {
      if history + 1 < room.histories {
        for number in 0..<stepCount where unsafe steps[number].remembers {
          let place = unsafe room.memories[number]
          let cells = unsafe (memory + place.cells).assumingMemoryBound(to: Float.self) + history * place.cellStride
          unsafe cells.update(from: cells + place.cellStride, count: place.cellStride)
          let hidden = unsafe (memory + place.hidden).assumingMemoryBound(to: UInt8.self) + history * place.hiddenStride
          unsafe hidden.update(from: hidden + place.hiddenStride, count: place.hiddenStride)
        }
      }
      unsafe advanceOldest(memory: memory, room: room, oldest: history, isAhead: false)
    }
    for number in 0..<stepCount where unsafe steps[number].remembers {
      unsafe runAhead(steps + number, memory: memory, room.memories + number, room: room)
    }
  }

  /// A block of histories through one part of a step.
  ///
  /// - Parameter except: a history that is left as it is; by default the oldest, which has been advanced already.
  @unsafe func advance(
    _ item: NetworkKernelItem, memory base: UnsafeMutableRawPointer, room: NetworkKernelRoom, except: Int?,
    isAhead: Bool = false
  ) {
    let number = Int(item.step)
    let step = unsafe UnsafePointer(steps + number)
    let memory = unsafe room.memories + number
    let frame = unsafe frame(of: room, in: base)
    let first = Int(item.first)
    let count = Int(item.count)
    let except = unsafe except ?? Int(base.load(as: NetworkState.Header.self).oldest)
    guard unsafe step.pointee.units > 0, unsafe step.pointee.remembers else {
      let rows = unsafe martlet_net_rows(list: nil, count: UInt32(count))
      unsafe runRows(step, rows, frame: frame, position: 0)
      if unsafe !step.pointee.writesCodes { unsafe encode(step, rows, frame: frame) }
      return
    }
    let channels = unsafe Int(step.pointee.product!.pointee.channels)
    let before =
      unsafe (base + (isAhead ? memory.pointee.ahead : room.blockBefore)).assumingMemoryBound(to: Float.self)
    let isShared = unsafe step.pointee.role == .recurrentOfShared
    let sums = unsafe (base + (isShared ? memory.pointee.shared : room.blockSums)).assumingMemoryBound(to: Int32.self)
    let hiddenStride = unsafe memory.pointee.hiddenStride
    let hidden = unsafe (base + memory.pointee.hidden).assumingMemoryBound(to: UInt8.self) + first * hiddenStride
    if item.part == .products {
      unsafe recur(step, from: hidden, count: count, stride: hiddenStride, to: before)
      return
    }
    if item.part == .inputs {
      let source = unsafe step.pointee.source
      unsafe martlet_net_sums(
        choice, step.pointee.product!, martlet_net_rows(list: nil, count: UInt32(count)), frame.codes(source),
        source.codeStride, nil, sums, channels)
      return
    }
    let cellStride = unsafe memory.pointee.cellStride
    let cells = unsafe (base + memory.pointee.cells).assumingMemoryBound(to: Float.self) + first * cellStride
    let result = unsafe step.pointee.result
    for row in 0..<count where first + row != except {
      let codes = unsafe frame.codes(result, row: row)
      let state = unsafe cells + row * cellStride
      unsafe cell(
        step, sums: isShared ? sums : sums + row * channels, before: before + row * channels, cells: state,
        next: state, hidden: frame.values(result, row: row), codes: codes)
      unsafe (hidden + row * hiddenStride).update(from: codes, count: hiddenStride)
    }
  }

  /// Gives a recurrent operator over a single row the state before any row, which it keeps.
  func placeLone(_ number: Int) {
    let step = unsafe steps + number
    guard unsafe step.pointee.units > 0, unsafe !step.pointee.remembers else { return }
    let units = unsafe Int(step.pointee.units)
    let codes = unsafe tick.codes(step.pointee.result)
    // In bounds: a row of codes has the padded width of the hidden state.
    unsafe codes.update(
      repeating: UInt8(truncatingIfNeeded: step.pointee.coding!.pointee.zero_point), count: step.pointee.result.stride)
    let lone = unsafe step.pointee.lone!.assumingMemoryBound(to: Float.self)
    // In bounds: room for the cells, zero already, and for the gates behind them.
    unsafe recur(UnsafePointer(step), from: codes, count: 1, stride: 0, to: lone + units)
  }
}
