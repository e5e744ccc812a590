"""The report of what an extract gives away: values in, one page or a few lines out.

Exposure (result.py) --render--> HTML page        --summary--> lines for a terminal
"""
