/// Callbacks that wait for their time, earliest first.
struct Timers {
  /// Names one timer, to cancel it.
  struct ID: Hashable, Sendable {
    fileprivate let number: Int
  }

  private struct Entry {
    let due: ContinuousClock.Instant
    let id: ID
  }

  /// A binary heap; cancelled entries stay until they come to the top.
  private var heap: [Entry] = []
  private var callbacks: [ID: @Sendable () -> Void] = [:]

  /// When the first callback is due.
  var next: ContinuousClock.Instant? { heap.first?.due }

  /// Adds a callback under a number that no other timer has.
  mutating func add(
    number: Int, at due: ContinuousClock.Instant, _ callback: @escaping @Sendable () -> Void
  ) -> ID {
    let id = ID(number: number)
    callbacks[id] = callback
    heap.append(Entry(due: due, id: id))
    siftUp(from: heap.count - 1)
    return id
  }

  mutating func cancel(_ id: ID) {
    callbacks[id] = nil
    while let first = heap.first, callbacks[first.id] == nil { removeFirst() }
  }

  /// Takes out the callbacks that are due.
  mutating func takeDue(at now: ContinuousClock.Instant) -> [@Sendable () -> Void] {
    var due: [@Sendable () -> Void] = []
    while let first = heap.first, first.due <= now || callbacks[first.id] == nil {
      if let callback = callbacks.removeValue(forKey: first.id) { due.append(callback) }
      removeFirst()
    }
    return due
  }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    siftDown()
  }

  private mutating func siftUp(from start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].due < heap[parent].due else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func siftDown() {
    var parent = 0
    while true {
      let left = 2 * parent + 1
      guard left < heap.count else { return }
      let right = left + 1
      let child = right < heap.count && heap[right].due < heap[left].due ? right : left
      guard heap[child].due < heap[parent].due else { return }
      heap.swapAt(child, parent)
      parent = child
    }
  }
}
