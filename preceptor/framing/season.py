"""The period after which a series repeats itself, and how much of the past a forecast should see.

season_of(passengers)                       # 12
history_for(12, rows=144, horizon=1)        # 36
"""

import numpy as np

CLEAR, NEARLY_AS_CLEAR, CERTAIN = 0.2, 0.9, 4.0
"""How far a peak must rise; noise alone rises to 1 over the root of the length, hardly to four times it."""
LONGEST_SEASON = 1_000
SEASONS, SHORTEST, LONGEST = 7, 32, 512


def season_of(values: np.ndarray) -> int:
    """The period of (L,) values in steps, by autocorrelation; 1 where there is none.

    Steps from one value to the next show short seasons whatever the trend does; the values themselves,
    without a straight trend, show the long ones. NaN is bridged by a straight line.
    """
    known = np.isfinite(values)
    if known.sum() < 12 or np.ptp(values[known]) == 0:
        return 1
    places = np.arange(len(values))
    bridged = np.interp(places, places[known], values[known])
    level = bridged - np.polyval(np.polyfit(places, bridged, 1), places)
    least = max(CLEAR / 2, CERTAIN / len(values) ** 0.5)
    return _peak(_links(np.diff(bridged)), least) or _centre(_links(level), least) or 1


def _links(values: np.ndarray) -> np.ndarray:
    """The autocorrelation up to the longest lag that a third of the values show; empty if there is none."""
    most = min(len(values) // 3, LONGEST_SEASON)
    return np.zeros(0) if most < 3 or np.ptp(values) == 0 else _autocorrelation(values, most)


def _peak(link: np.ndarray, least: float) -> int:
    """The shortest of the clearest peaks; 0 where none is clear, and above `least`.

    A peak is as clear as it rises above the lowest valley before it.
    """
    peaks = np.flatnonzero((link[1:-1] > link[:-2]) & (link[1:-1] >= link[2:])) + 1
    peaks = peaks[peaks >= 2]
    clear = (link - np.minimum.accumulate(link))[peaks] * (link[peaks] > least)
    if clear.max(initial=0) < CLEAR:
        return 0
    return int(peaks[np.argmax(clear >= NEARLY_AS_CLEAR * clear.max())])


def _centre(link: np.ndarray, least: float) -> int:
    """The middle of the clearest peak, for a broad one is noisy: the highest moving average about it."""
    peak = _peak(link, least)
    width = peak // 8
    low, high = peak - width, min(peak + width + 1, len(link) - width)
    if not width or high <= peak:
        return peak
    means = [link[place - width : place + width + 1].mean() for place in range(low, high)]
    return low + int(np.argmax(means))


def _autocorrelation(values: np.ndarray, most: int) -> np.ndarray:
    """(most + 1,) from lag 0 on, by the Fourier transform (Wiener and Khinchin)."""
    centered = values - values.mean()
    power = np.abs(np.fft.rfft(centered, 2 * len(values))) ** 2
    raw = np.fft.irfft(power)[: most + 1]
    return raw / raw[0]


def history_for(season: int, rows: int, horizon: int) -> int:
    """How many steps a forecast looks back: several seasons, at most a quarter of the `rows`."""
    seasons = max(2, min(SEASONS, LONGEST // season))
    wished = max(season * seasons, 2 * horizon, SHORTEST)
    most = max(2, rows // 4)
    if wished <= most:
        return wished
    return most // season * season or most
